import { crcTable32, crcTable64 } from "./tables.ts";

/** The checksums byte by byte, in plain TypeScript: for short inputs, and what the kernels are tested against. */

export const CRC32C_POLYNOMIAL = 0x82f63b78;
export const CRC64NVME_POLYNOMIAL_HIGH = 0x9a6c9329;
export const CRC64NVME_POLYNOMIAL_LOW = 0xac4bc9b5;

const table32 = crcTable32(CRC32C_POLYNOMIAL);
const table64 = crcTable64(CRC64NVME_POLYNOMIAL_HIGH, CRC64NVME_POLYNOMIAL_LOW);

/** Moves the register (not inverted) over `bytes`. */
export function crc32cScalar(register: number, bytes: Uint8Array): number {
  let crc = register;
  for (let at = 0; at < bytes.length; at++) {
    crc = (crc >>> 8) ^ (table32[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  }
  return crc;
}

/** A 64-bit register, not inverted, as two signed halves. */
export interface Register64 {
  readonly high: number;
  readonly low: number;
}

export function crc64NvmeScalar(register: Register64, bytes: Uint8Array): Register64 {
  let { high, low } = register;
  for (let at = 0; at < bytes.length; at++) {
    const index = (low ^ (bytes[at] ?? 0)) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (table64.low[index] ?? 0);
    high = (high >>> 8) ^ (table64.high[index] ?? 0);
  }
  return { high, low };
}
