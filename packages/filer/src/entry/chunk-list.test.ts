import { expect, test } from "bun:test";
import { hex } from "@kelp/base";
import { type Chunk, needleId, volumeId } from "@kelp/wire";
import { decodeChunks, encodeChunks, encodeFid, firstAddressOf } from "./chunk-list.ts";

const first: Chunk = {
  fid: { volumeId: volumeId(3), needleId: needleId(0x0163n), cookie: 0x7037d6aa },
  sizeBytes: 2_097_152,
};
const largest: Chunk = {
  fid: {
    volumeId: volumeId(0xffff_ffff),
    needleId: needleId(0xffff_ffff_ffff_ffffn),
    cookie: 0xffff_ffff,
  },
  sizeBytes: 1,
};

test("a chunk list has this layout", () => {
  expect(hex(encodeChunks([first]))).toBe("0000000300000000000001637037d6aa00200000");
});

test("what more a chunk says stands behind its record", () => {
  const more: Chunk = {
    ...first,
    hash64: 0x0102_0304_0506_0708n,
    sealedKey: Uint8Array.of(9, 8, 7),
    isManifest: true,
    sizeBytes: 0x05_0000_0001,
  };
  const bytes = encodeChunks([more]);
  expect(hex(bytes)).toBe(
    "0000000300000000000001637037d6aa80000000" +
      "07" +
      "0102030405060708" +
      "03090807" +
      "0000000500000001",
  );
  expect(decodeChunks(Buffer.concat([bytes, encodeChunks([first]), bytes]))).toEqual([
    more,
    first,
    more,
  ]);
});

test.each([
  ["cut off in the hash", -5],
  ["cut off in the sealed key", -1],
])("an extension that is %s is refused", (_name, end) => {
  const bytes = encodeChunks([{ ...first, hash64: 1n, sealedKey: Uint8Array.of(1) }]);
  expect(decodeChunks(bytes.subarray(0, end))).toBeUndefined();
});

test("an extension with fields of a later version is refused", () => {
  const bytes = encodeChunks([{ ...first, isManifest: true }]);
  bytes[20] = 0x84;
  expect(decodeChunks(bytes)).toBeUndefined();
});

test("chunk lists come back as they were, and joined bytes are the joined list", () => {
  const joined = Buffer.concat([encodeChunks([first]), encodeChunks([largest, first])]);
  expect(decodeChunks(joined)).toEqual([first, largest, first]);
});

test("what is no chunk list is refused", () => {
  expect(decodeChunks(encodeChunks([first]).subarray(1))).toBeUndefined();
  expect(decodeChunks(new Uint8Array(20))).toBeUndefined();
});

test("addresses sort by volume, then by needle", () => {
  const next = { ...first.fid, needleId: needleId(0x0164n), cookie: 0 };
  expect(Buffer.compare(encodeFid(first.fid), encodeFid(next))).toBe(-1);
  expect(Buffer.compare(firstAddressOf(3), encodeFid(first.fid))).toBe(-1);
  expect(Buffer.compare(firstAddressOf(4), encodeFid(next))).toBe(1);
});
