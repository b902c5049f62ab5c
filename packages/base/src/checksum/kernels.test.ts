import { expect, test } from "bun:test";
import { assert, integer, property, uint8Array } from "fast-check";
import { utf8 } from "../bytes.ts";
import { crc32cOf } from "./crc32c.ts";
import { FOLD_BYTES_MIN, crc32cFold } from "./fold-crc32c.ts";
import { crc32cKernel, crc64NvmeKernel } from "./kernels.ts";
import { crc32cScalar, crc64NvmeScalar } from "./scalar.ts";

const LENGTHS = [0, 1, 7, 15, 16, 17, 31, 32, 33, 4096, 65_535, 65_536, 65_537, 200_001];

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 2_654_435_761) >>> 11);
}

test.each(LENGTHS)("the crc32c kernel agrees with the scalar twin over %i bytes", (length) => {
  const bytes = pattern(length);
  expect(crc32cKernel(~0, bytes)).toBe(crc32cScalar(~0, bytes) | 0);
});

test("folding agrees with the scalar twin for any long bytes and any register", () => {
  const bytes = pattern(FOLD_BYTES_MIN + 120_000);
  assert(
    property(
      integer({ min: 0, max: 200 }),
      integer({ min: FOLD_BYTES_MIN, max: bytes.length - 200 }),
      integer(),
      (start, length, register) => {
        const part = bytes.subarray(start, start + length);
        expect(crc32cFold(register, part)).toBe(crc32cScalar(register, part) | 0);
      },
    ),
  );
});

test("folding holds for every length around a turn, a piece and a tail", () => {
  const bytes = pattern(60_000);
  for (const first of [FOLD_BYTES_MIN, 48 * 1024, 54_500]) {
    for (let length = first; length < first + 70; length++) {
      const part = bytes.subarray(0, length);
      expect(crc32cFold(~0, part)).toBe(crc32cScalar(~0, part) | 0);
    }
  }
});

test.each(LENGTHS)("the crc64nvme kernel agrees with the scalar twin over %i bytes", (length) => {
  const bytes = pattern(length);
  const register = { high: 0x1234_5678, low: -2 };
  expect(crc64NvmeKernel(register, bytes)).toEqual(crc64NvmeScalar(register, bytes));
});

test("kernels agree with their twins for any bytes and any register", () => {
  assert(
    property(uint8Array({ maxLength: 300 }), integer(), integer(), (bytes, low, high) => {
      expect(crc32cKernel(low, bytes)).toBe(crc32cScalar(low, bytes) | 0);
      expect(crc64NvmeKernel({ high, low }, bytes)).toEqual(crc64NvmeScalar({ high, low }, bytes));
    }),
  );
});

test("crc32c continues from the value of the bytes before", () => {
  const bytes = pattern(70_000);
  assert(
    property(integer({ min: 0, max: bytes.length }), (cut) => {
      const first = crc32cOf(bytes.subarray(0, cut));
      expect(crc32cOf(bytes.subarray(cut), first)).toBe(crc32cOf(bytes));
    }),
  );
});

// RFC 3720, appendix B.4: 32 bytes of zeros, of ones, counting up, counting down.
test.each([
  [new Uint8Array(32), 0x8a91_36aa],
  [new Uint8Array(32).fill(0xff), 0x62a8_ab43],
  [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd_794e],
  [Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113f_db5c],
  [utf8("123456789"), 0xe306_9283],
])("crc32c gives the published value %#", (bytes, expected) => {
  expect(crc32cOf(bytes)).toBe(expected);
});
