import type { Hasher } from "../hash.ts";

/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4; reflected polynomial 0x82F63B78), slicing by 8.
 * Check value of "123456789": 0xE3069283.
 */
const POLYNOMIAL = 0x82f63b78;
const tables = buildTables();

/** The checksum of `bytes`; `seed` is the value of the bytes before them. */
export function crc32cOf(bytes: Uint8Array, seed = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let crc = ~seed;
  let at = 0;
  const end = bytes.length;
  const endOfWords = end - (end % 8);
  for (; at < endOfWords; at += 8) {
    const low =
      crc ^
      (byte(bytes, at) |
        (byte(bytes, at + 1) << 8) |
        (byte(bytes, at + 2) << 16) |
        (byte(bytes, at + 3) << 24));
    crc =
      cell(t7, low & 0xff) ^
      cell(t6, (low >>> 8) & 0xff) ^
      cell(t5, (low >>> 16) & 0xff) ^
      cell(t4, low >>> 24) ^
      cell(t3, byte(bytes, at + 4)) ^
      cell(t2, byte(bytes, at + 5)) ^
      cell(t1, byte(bytes, at + 6)) ^
      cell(t0, byte(bytes, at + 7));
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ cell(t0, (crc ^ byte(bytes, at)) & 0xff);
  return ~crc >>> 0;
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

type Tables = readonly [T, T, T, T, T, T, T, T];
type T = Int32Array;

function buildTables(): Tables {
  const make = (): T => new Int32Array(256);
  const built: Tables = [make(), make(), make(), make(), make(), make(), make(), make()];
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    built[0][value] = crc;
  }
  for (let slice = 1; slice < 8; slice++) {
    for (let value = 0; value < 256; value++) {
      const before = cell(built[(slice - 1) as 0], value);
      built[slice as 0][value] = cell(built[0], before & 0xff) ^ (before >>> 8);
    }
  }
  return built;
}

// Both are in range by construction; the fallback only satisfies the index type and is optimised away.
function cell(table: T, index: number): number {
  return table[index] ?? 0;
}

function byte(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
