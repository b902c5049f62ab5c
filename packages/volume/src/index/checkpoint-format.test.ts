import { expect, test } from "bun:test";
import { systemHashes } from "@kelp/base/platform";
import {
  type CheckpointHeader,
  encodeCheckpointHeader,
  encodeLeafHeader,
  leafFits,
  parseCheckpointHeader,
  parseLeafHeader,
} from "./checkpoint-format.ts";
import { IndexLeaf } from "./index-leaf.ts";
import { strideOf } from "./leaf-shape.ts";

// The bytes were put together by hand, the checksums by a program of their own.
const HEADER_HEX = [
  "4b454c5049445831 5e3874c2 04000000 0300000000020000 5000000000000000 44332211 01000000",
  "1000000002000000 0b0000000a000000 ffffffff 88776655",
  "0300000000000000 0001000001000000 0200000000000000 6000000000000000 f0ffffffffffffff",
]
  .join("")
  .replaceAll(" ", "");

const HEADER: CheckpointHeader = {
  offsetWidth: 4,
  superblock: Buffer.from("0300000000020000", "hex"),
  indexFileBytes: 0x50,
  fingerprint: 0x1122_3344,
  leafCount: 1,
  lastRecord: { endBytes: 0x2_0000_0010, idHigh: 10, idLow: 11, bodyBytes: -1 },
  lastRecordSum: 0x5566_7788,
  counters: {
    liveCount: 3,
    liveBytes: 0x1_0000_0100,
    deletedCount: 2,
    deletedBytes: 0x60,
    needleIdMax: 0xffff_ffff_ffff_fff0n,
  },
};

// Base 0x1_ffff_ffff and 5; keys of 3, offsets of 5, sizes of 3 bytes; the second of three is removed.
const LEAF_HEX = [
  "f8f448b0 03000000 ffffffff01000000 0500000000000000 03 05 03 0000000000",
  "000000 0000000000 200000   010000 0300000000 410000   000001 0000000001 002001",
]
  .join("")
  .replaceAll(" ", "");

const ENTRIES = [
  { idHigh: 1, idLow: 0xffff_ffff, units: 5, size: 0x10 },
  { idHigh: 2, idLow: 0, units: 8, size: ~0x20 },
  { idHigh: 2, idLow: 0xffff, units: 0x1_0000_0005, size: 0x9000 },
];

test("the header of a checkpoint is written and read byte for byte", () => {
  expect(encodeCheckpointHeader(HEADER, systemHashes).toString("hex")).toBe(HEADER_HEX);
  expect(parseCheckpointHeader(Buffer.from(HEADER_HEX, "hex"), systemHashes)).toEqual(HEADER);
});

test("a header with any bit flipped, or shorter, is none", () => {
  for (let bit = 0; bit < HEADER_HEX.length * 4; bit++) {
    const bytes = Buffer.from(HEADER_HEX, "hex");
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(parseCheckpointHeader(bytes, systemHashes)).toBeUndefined();
  }
  const short = Buffer.from(HEADER_HEX, "hex").subarray(0, 103);
  expect(parseCheckpointHeader(short, systemHashes)).toBeUndefined();
});

test("a leaf is read byte for byte", () => {
  const bytes = Buffer.from(LEAF_HEX, "hex");
  const header = parseLeafHeader(bytes, 3);
  expect(header).toMatchObject({ count: 3, rowBytes: 33 });
  expect(leafFits(bytes, systemHashes)).toBe(true);
  if (header === undefined) throw new Error("the leaf has a header");
  const leaf = IndexLeaf.fromRows(header.shape, 3, new Uint8Array(bytes.subarray(32)));
  expect(ENTRIES.map((_, at) => leaf.entry(at))).toEqual(ENTRIES);
});

test("a leaf is written byte for byte, once its widths are needed", () => {
  const leaf = new IndexLeaf(0, 3, {
    baseHigh: 1,
    baseLow: 0xffff_ffff,
    unitsBase: 5,
    keyWidth: 2,
    unitsWidth: 2,
    sizeWidth: 2,
  });
  for (const [at, entry] of ENTRIES.entries()) leaf.insert(at, entry, 3);
  const rows = leaf.rows.subarray(0, 3 * strideOf(leaf));
  const written = Buffer.concat([encodeLeafHeader(leaf, 3, rows, systemHashes), rows]);
  expect(written.toString("hex")).toBe(LEAF_HEX);
});

test("a leaf with any bit flipped does not fit its checksum", () => {
  for (let bit = 0; bit < LEAF_HEX.length * 4; bit++) {
    const bytes = Buffer.from(LEAF_HEX, "hex");
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(leafFits(bytes, systemHashes)).toBe(false);
  }
});

test.each([
  ["no rows", 4, 0],
  ["more rows than a leaf can have", 4, 4],
  ["keys of 7 bytes", 24, 7],
  ["keys of 1 byte", 24, 1],
  ["offsets of 6 bytes", 25, 6],
  ["sizes of 5 bytes", 26, 5],
])("a leaf header with %s is none", (_name, at, value) => {
  const bytes = Buffer.from(LEAF_HEX, "hex");
  bytes.writeUInt8(value, at);
  expect(parseLeafHeader(bytes, 3)).toBeUndefined();
});
