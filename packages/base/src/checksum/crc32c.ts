import type { Hasher } from "../hash.ts";
import { FOLD_BYTES_MIN, crc32cFold } from "./fold-crc32c.ts";
import { crc32cKernel } from "./kernels.ts";
import { crc32cScalar } from "./scalar.ts";

/** Below this the call into the kernel and the copy cost more than they save (measured). */
const KERNEL_BYTES_MIN = 32;

/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4; reflected polynomial 0x82F63B78).
 * Check value of "123456789": 0xE3069283. `seed` is the value of the bytes before `bytes`.
 */
export function crc32cOf(bytes: Uint8Array, seed = 0): number {
  return ~moved(~seed, bytes) >>> 0;
}

function moved(register: number, bytes: Uint8Array): number {
  if (bytes.length < KERNEL_BYTES_MIN) return crc32cScalar(register, bytes);
  if (bytes.length < FOLD_BYTES_MIN) return crc32cKernel(register, bytes);
  return crc32cFold(register, bytes);
}

export class Crc32c implements Hasher {
  #value = 0;

  update(bytes: Uint8Array): void {
    this.#value = crc32cOf(bytes, this.#value);
  }

  digest(): Uint8Array {
    const out = Buffer.alloc(4);
    out.writeUInt32BE(this.#value);
    return out;
  }
}
