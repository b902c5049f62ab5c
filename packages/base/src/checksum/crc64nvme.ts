import type { Hasher } from "../hash.ts";
import { crc64NvmeKernel } from "./kernels.ts";
import { type Register64, crc64NvmeScalar } from "./scalar.ts";

/** Below this the call into the kernel and the copy cost more than they save (measured). */
const KERNEL_BYTES_MIN = 32;

/**
 * CRC-64/NVME (reflected polynomial 0x9A6C9329AC4BC9B5, all ones in and out).
 * Check value of "123456789": 0xAE8B14860A799888.
 */
export class Crc64Nvme implements Hasher {
  #register: Register64 = { high: ~0, low: ~0 };

  update(bytes: Uint8Array): void {
    this.#register =
      bytes.length < KERNEL_BYTES_MIN
        ? crc64NvmeScalar(this.#register, bytes)
        : crc64NvmeKernel(this.#register, bytes);
  }

  digest(): Uint8Array {
    const out = Buffer.alloc(8);
    out.writeUInt32BE(~this.#register.high >>> 0, 0);
    out.writeUInt32BE(~this.#register.low >>> 0, 4);
    return out;
  }
}
