import { expect, test } from "bun:test";
import { assert as check, constantFrom, gen, integer, property } from "fast-check";
import { ErasureCode } from "./erasure-code.ts";
import { inverse, multiply } from "./galois.ts";
import { combineKernel } from "./kernel.ts";
import { combineScalar } from "./scalar.ts";

/** Bytes that look random, the same for the same seed. */
function noise(seed: number, length: number): Uint8Array {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

/** The product by long multiplication and division, without any table. */
function slowProduct(left: number, right: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) if ((right >> bit) & 1) product ^= left << bit;
  for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11d << (bit - 8);
  return product;
}

test("products and inverses are those of long division by the polynomial, for all elements", () => {
  let wrong = 0;
  for (let left = 0; left < 256; left++) {
    for (let right = 0; right < 256; right++) {
      if (multiply(left, right) !== slowProduct(left, right)) wrong++;
    }
    if (left > 0 && slowProduct(left, inverse(left)) !== 1) wrong++;
  }
  expect(wrong).toBe(0);
});

test("the parity rows of 10 + 4 are those that klauspost/reedsolomon makes", () => {
  const code = new ErasureCode({ dataShards: 10, parityShards: 4 });
  // Data with a single 1 gives the column of the matrix.
  const columns = Array.from({ length: 10 }, (_cell, shard) => {
    const data = Array.from({ length: 10 }, (_piece, index) =>
      Uint8Array.of(index === shard ? 1 : 0),
    );
    const parity = Array.from({ length: 4 }, () => new Uint8Array(1));
    code.encode(data, parity);
    return parity.map((piece) => piece[0] ?? 0);
  });
  const rows = [0, 1, 2, 3].map((row) => columns.map((column) => column[row]));
  expect(rows).toEqual([
    [129, 150, 175, 184, 210, 196, 254, 232, 3, 2],
    [150, 129, 184, 175, 196, 210, 232, 254, 2, 3],
    [191, 214, 98, 10, 6, 111, 223, 183, 5, 4],
    [214, 191, 10, 98, 111, 6, 183, 223, 4, 5],
  ]);
});

test("parity agrees with sums of products made without tables", () => {
  const code = new ErasureCode({ dataShards: 10, parityShards: 4 });
  const data = Array.from({ length: 10 }, (_piece, index) => noise(index + 1, 100));
  const parity = Array.from({ length: 4 }, () => new Uint8Array(100));
  code.encode(data, parity);
  const firstRow = [129, 150, 175, 184, 210, 196, 254, 232, 3, 2];
  const expected = Uint8Array.from({ length: 100 }, (_byte, at) =>
    firstRow.reduce((sum, factor, shard) => sum ^ slowProduct(factor, data[shard]?.[at] ?? 0), 0),
  );
  expect(parity[0]).toEqual(expected);
});

const LENGTHS = [0, 1, 15, 16, 17, 63, 64, 4097, 32_767, 32_768, 32_769, 100_003] as const;

test("the kernel agrees with its scalar twin for any rows, sources and lengths", () => {
  check(
    property(
      integer({ min: 1, max: 32 }),
      integer({ min: 1, max: 9 }),
      constantFrom(...LENGTHS),
      integer({ min: 1 }),
      (sourceCount, rowCount, length, seed) => {
        const rows = Array.from({ length: rowCount }, (_r, row) => noise(seed + row, sourceCount));
        const sources = Array.from({ length: sourceCount }, (_s, index) =>
          noise(seed + 100 + index, length),
        );
        const made = Array.from({ length: rowCount }, () => new Uint8Array(length).fill(0x55));
        const expected = Array.from({ length: rowCount }, () => new Uint8Array(length));
        combineKernel(rows, sources, made);
        combineScalar(rows, sources, expected);
        expect(
          made.every((target, row) => Buffer.compare(target, expected[row] ?? target) === 0),
        ).toBe(true);
      },
    ),
    { numRuns: 40 },
  );
});

test("any data shards of all bring back the others, for any shape up to 32", () => {
  check(
    property(
      integer({ min: 1, max: 31 }),
      integer({ min: 0, max: 31 }),
      gen(),
      (k, more, random) => {
        const shape = { dataShards: k, parityShards: Math.max(1, Math.min(more, 32 - k)) };
        const code = new ErasureCode(shape);
        const length = random(constantFrom, 5, 200);
        const all = Array.from({ length: code.shardCount }, (_s, index) =>
          index < k ? noise(index + 7, length) : new Uint8Array(length),
        );
        code.encode(all.slice(0, k), all.slice(k));
        const numbers = all.map((_shard, index) => index);
        for (let at = numbers.length - 1; at > 0; at--) {
          const other = random(integer, { min: 0, max: at });
          const moved = numbers[at] ?? 0;
          numbers[at] = numbers[other] ?? 0;
          numbers[other] = moved;
        }
        const piece = (shard: number) => ({ shard, bytes: all[shard] ?? new Uint8Array() });
        const wanted = numbers.slice(k).map((shard) => ({ shard, bytes: new Uint8Array(length) }));
        code.reconstruct(numbers.slice(0, k).map(piece), wanted);
        expect(wanted).toEqual(numbers.slice(k).map(piece));
      },
    ),
    { numRuns: 60 },
  );
});

test.each([
  { dataShards: 0, parityShards: 4 },
  { dataShards: 10, parityShards: 0 },
  { dataShards: 30, parityShards: 3 },
])("a code of %o is refused", (shape) => {
  expect(() => new ErasureCode(shape)).toThrow();
});
