/** Byte tables of reflected checksums: `table[v]` is what the byte `v` makes of a register of zeros. */

export interface Tables64 {
  readonly high: Int32Array;
  readonly low: Int32Array;
}

export function crcTable32(polynomial: number): Int32Array {
  const table = new Int32Array(256);
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    table[value] = crc;
  }
  return table;
}

export function crcTable64(polynomialHigh: number, polynomialLow: number): Tables64 {
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
        h ^= polynomialHigh;
        l ^= polynomialLow;
      }
    }
    high[value] = h;
    low[value] = l;
  }
  return { high, low };
}
