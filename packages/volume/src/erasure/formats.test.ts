import { expect, test } from "bun:test";
import { assert as check, integer, property } from "fast-check";
import { systemHashes } from "@kelp/base/platform";
import { encodeBitrotFile, parseBitrotFile } from "./bitrot-file.ts";
import {
  FORMAT_BLOCKS,
  type ErasureLayout,
  fileOffsetOf,
  layoutOf,
  olderLayoutOf,
  segmentsOf,
  shardBytesOf,
} from "./layout.ts";
import { readFields } from "./protobuf.ts";
import { parseErasureFileName, shardExtension } from "./shard-names.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const TEN = { dataShards: 10, parityShards: 4 };
const TINY = { largeBlockBytes: 16, smallBlockBytes: 4, checksumBlockBytes: 8 };

test.each([
  [1, 0, 1],
  [10 * MIB, 0, 1],
  [10 * MIB + 1, 0, 2],
  [10 * GIB - 1, 0, 1024],
  [10 * GIB, 1, 0],
  [10 * GIB + 1, 1, 1],
  [25 * GIB, 2, 512],
])("a file of %i bytes has %i large rows and %i small ones", (fileBytes, largeRows, smallRows) => {
  const layout = layoutOf(TEN, fileBytes);
  expect([layout.largeRows, layout.smallRows]).toEqual([largeRows, smallRows]);
  expect(shardBytesOf(layout)).toBe(largeRows * GIB + smallRows * MIB);
});

test("a byte stands where the format says, in large and in small rows", () => {
  const layout = layoutOf(TEN, 20 * GIB + 25 * MIB);
  const at = (offset: number) => segmentsOf(layout, offset, 1)[0];
  expect(at(0)).toEqual({ shard: 0, offsetBytes: 0, lengthBytes: 1 });
  expect(at(GIB - 1)).toEqual({ shard: 0, offsetBytes: GIB - 1, lengthBytes: 1 });
  expect(at(13 * GIB + 5)).toEqual({ shard: 3, offsetBytes: GIB + 5, lengthBytes: 1 });
  expect(at(20 * GIB)).toEqual({ shard: 0, offsetBytes: 2 * GIB, lengthBytes: 1 });
  expect(at(20 * GIB + 21 * MIB + 7)).toEqual({
    shard: 1,
    offsetBytes: 2 * GIB + 2 * MIB + 7,
    lengthBytes: 1,
  });
});

/** The same dealt out byte by byte, as one would with cards. */
function dealt(layout: ErasureLayout): Map<number, string> {
  const places = new Map<number, string>();
  let at = 0;
  const deal = (rows: number, blockBytes: number, start: number): void => {
    for (let row = 0; row < rows; row++) {
      for (let shard = 0; shard < layout.dataShards; shard++) {
        for (let inner = 0; inner < blockBytes; inner++) {
          places.set(at++, `${shard}:${start + row * blockBytes + inner}`);
        }
      }
    }
  };
  deal(layout.largeRows, layout.largeBlockBytes, 0);
  deal(layout.smallRows, layout.smallBlockBytes, layout.largeRows * layout.largeBlockBytes);
  return places;
}

test("segments and their way back agree with dealing byte by byte, for any size", () => {
  check(
    property(
      integer({ min: 1, max: 4 }),
      integer({ min: 1, max: 400 }),
      (dataShards, fileBytes) => {
        const layout = layoutOf({ dataShards, parityShards: 1 }, fileBytes, TINY);
        const places = dealt(layout);
        expect(places.size).toBeGreaterThanOrEqual(fileBytes);
        const found: string[] = [];
        for (const { shard, offsetBytes, lengthBytes } of segmentsOf(layout, 0, fileBytes)) {
          for (let inner = 0; inner < lengthBytes; inner++) {
            found.push(`${shard}:${offsetBytes + inner}`);
          }
        }
        expect(found).toEqual(Array.from({ length: fileBytes }, (_b, at) => places.get(at) ?? ""));
        for (const [at, place] of places) {
          const [shard, offset] = place.split(":").map(Number);
          expect(fileOffsetOf(layout, shard ?? 0, offset ?? 0)).toBe(at);
        }
      },
    ),
    { numRuns: 30 },
  );
});

test("only a file of whole large rows leaves a doubt about its layout, and shards are as long in both", () => {
  expect(olderLayoutOf(layoutOf(TEN, 10 * GIB + 1))).toBeUndefined();
  expect(olderLayoutOf(layoutOf(TEN, 5 * GIB))).toBeUndefined();
  const layout = layoutOf(TEN, 20 * GIB);
  const older = olderLayoutOf(layout);
  expect(older).toMatchObject({ largeRows: 1, smallRows: 1024 });
  expect(older === undefined ? 0 : shardBytesOf(older)).toBe(shardBytesOf(layout));
  expect(FORMAT_BLOCKS.checksumBlockBytes).toBe(16 * MIB);
});

const PROTECTION = {
  blockBytes: 16 * MIB,
  generation: 0,
  dataShards: 10,
  parityShards: 4,
  shards: [
    { shard: 0, coveredBytes: MIB, blocks: [0x0102_0304] },
    { shard: 1, coveredBytes: MIB, blocks: [0xff00_0001, 7] },
  ],
  encodingId: Buffer.from("000102030405060708090a0b0c0d0e0f", "hex"),
  index: undefined,
} as const;

// Head; then algorithm 1, block size 2²⁴, counts 10 and 4, two shards with little-endian checksums, the id.
const GOLDEN = [
  "45435355 0001 0000003d b7adfca0",
  "0801 1080808008 2204 080a 1004",
  "2a0a 10808040 1a04 04030201",
  "2a10 0801 10808040 1a08 010000ff 07000000",
  "3210 000102030405060708090a0b0c0d0e0f",
]
  .join("")
  .replaceAll(" ", "");

test("a checksum file is written and read byte for byte as the format says", () => {
  expect(Buffer.from(encodeBitrotFile(PROTECTION, systemHashes)).toString("hex")).toBe(GOLDEN);
  expect(parseBitrotFile(Buffer.from(GOLDEN, "hex"), systemHashes)).toEqual(PROTECTION);
});

test("what Kelp adds for the index is read again, and is behind what others read", () => {
  const withIndex = { ...PROTECTION, index: { checksum: 0xffff_ffff, sizeBytes: 48 } };
  const bytes = encodeBitrotFile(withIndex, systemHashes);
  expect(parseBitrotFile(bytes, systemHashes)).toEqual(withIndex);
  const HEAD_BYTES = 14;
  expect(
    Buffer.from(bytes)
      .toString("hex")
      .slice(2 * HEAD_BYTES),
  ).toStartWith(GOLDEN.slice(2 * HEAD_BYTES));
});

test("a checksum file with any bit flipped, or cut anywhere, protects nothing", () => {
  const bytes = Buffer.from(GOLDEN, "hex");
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 0x04;
    expect(parseBitrotFile(flipped, systemHashes)).toBeUndefined();
    expect(parseBitrotFile(bytes.subarray(0, at), systemHashes)).toBeUndefined();
  }
});

test.each(["08", "0a05aa", "ffffffffffffffffffff01", "0b"])(
  "a message %s that is cut or of another format is not taken",
  (hex) => {
    expect(readFields(Buffer.from(hex, "hex"))).toBeUndefined();
  },
);

test.each([
  ["22.ec00", { collection: "", id: 22, part: 0 }],
  ["a_b_7.ec31", { collection: "a_b", id: 7, part: 31 }],
  ["ec_22.ecx", { collection: "ec", id: 22, part: "index" }],
  ["22.ecj", { collection: "", id: 22, part: "journal" }],
  ["22.ecsum", { collection: "", id: 22, part: "checksums" }],
  ["22.ec05.tmp", { collection: "", id: 22, part: "unfinished" }],
  ["22.dat", undefined],
  ["22.vif", undefined],
  ["x.ec00", undefined],
  ["0.ec00", undefined],
])("the name %s is told", (name, expected) => {
  expect(parseErasureFileName(name) as unknown).toEqual(expected);
});

test("shards have two digits", () => {
  expect([shardExtension(0), shardExtension(31)]).toEqual([".ec00", ".ec31"]);
});
