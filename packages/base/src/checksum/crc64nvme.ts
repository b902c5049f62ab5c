import type { Hasher } from "../hash.ts";

/**
 * CRC-64/NVME (reflected polynomial 0x9A6C9329AC4BC9B5, all ones in and out), byte by byte on two
 * 32-bit halves. Check value of "123456789": 0xAE8B14860A799888.
 */
const POLYNOMIAL_HIGH = 0x9a6c9329;
const POLYNOMIAL_LOW = 0xac4bc9b5;
const { high: tableHigh, low: tableLow } = buildTables();

export class Crc64Nvme implements Hasher {
  #high = ~0;
  #low = ~0;

  update(bytes: Uint8Array): void {
    let high = this.#high;
    let low = this.#low;
    for (let at = 0; at < bytes.length; at++) {
      const index = (low ^ (bytes[at] ?? 0)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (tableLow[index] ?? 0);
      high = (high >>> 8) ^ (tableHigh[index] ?? 0);
    }
    this.#high = high;
    this.#low = low;
  }

  digest(): Uint8Array {
    const out = Buffer.alloc(8);
    out.writeUInt32BE(~this.#high >>> 0, 0);
    out.writeUInt32BE(~this.#low >>> 0, 4);
    return out;
  }
}

function buildTables(): { high: Int32Array; low: Int32Array } {
  const high = new Int32Array(256);
  const low = new Int32Array(256);
  for (let value = 0; value < 256; value++) {
    let h = 0;
    let l = value;
    for (let bit = 0; bit < 8; bit++) {
      const carry = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (carry) {
        h ^= POLYNOMIAL_HIGH;
        l ^= POLYNOMIAL_LOW;
      }
    }
    high[value] = h;
    low[value] = l;
  }
  return { high, low };
}
