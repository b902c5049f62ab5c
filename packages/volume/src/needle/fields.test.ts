import { expect, test } from "bun:test";
import { utf8 } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { type StoredNeedle, needleId, volumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { type NewNeedle, suffixBytesOf, writeNeedle } from "./encode.ts";
import { type NeedleFields, decodeFields, encodeFields } from "./fields.ts";
import { type FormatVersion, PREFIX_BYTES } from "./layout.ts";
import { openRecord } from "./stored-needle.ts";

// Hex by hand from the byte table in layout.ts.

const FID = { volumeId: volumeId(1), needleId: needleId(9n), cookie: 7 };
const DATA = utf8("123456789");

function bytesOf(hexText: string): Buffer {
  return Buffer.from(hexText.replaceAll(/\s/g, ""), "hex");
}

const ALL: NeedleFields = {
  name: "ab",
  mediaType: "t/p",
  lastModifiedSec: 2,
  ttl: { count: 3, unit: "hour" },
  pairs: { a: "b" },
  isGzip: true,
  isChunkManifest: true,
};

test.each<[string, NeedleFields, string]>([
  ["name", { name: "ab" }, "02 02 6162"],
  ["media type", { mediaType: "t/p" }, "04 03 742f70"],
  ["date of modification", { lastModifiedSec: 0x01_0203_0405 }, "08 0102030405"],
  ["TTL", { ttl: { count: 255, unit: "minute" } }, "10 ff01"],
  ["TTL in years", { ttl: { count: 1, unit: "year" } }, "10 0106"],
  ["pairs", { pairs: { a: "b" } }, "20 0009 7b2261223a2262227d"],
  ["gzip", { isGzip: true }, "01"],
  ["chunk manifest", { isChunkManifest: true }, "80"],
  ["all of them", ALL, "bf 02 6162 03 742f70 0000000002 03 02 0009 7b2261223a2262227d"],
])("%s: written and read as the format says", (_name, fields, hexText) => {
  const encoded = encodeFields(fields);
  expect(Buffer.from(encoded as Uint8Array).toString("hex")).toBe(bytesOf(hexText).toString("hex"));
  expect(decodeFields(bytesOf(hexText), 0)).toEqual(fields);
});

test("without fields, and with empty ones, there is nothing to write", () => {
  expect(encodeFields({})).toBeUndefined();
  const ttl = { count: 0, unit: "none" } as const;
  expect(encodeFields({ name: "", mediaType: "", pairs: {}, ttl, isGzip: false })).toBeUndefined();
});

test("a name and a type that are stored as empty say nothing", () => {
  expect(decodeFields(bytesOf("06 00 00"), 0)).toEqual({});
  expect(decodeFields(bytesOf("0e 02 6162 00 0000000002"), 0)).toEqual({
    name: "ab",
    lastModifiedSec: 2,
  });
});

test("a name is cut to 255 bytes, between characters", () => {
  const nameOf = (fields: NeedleFields): unknown => {
    const decoded = decodeFields(Buffer.from(encodeFields(fields) as Uint8Array), 0);
    return typeof decoded === "string" ? decoded : decoded.name;
  };
  expect(nameOf({ name: "n".repeat(300) })).toBe("n".repeat(255));
  expect(nameOf({ name: `${"n".repeat(254)}é` })).toBe("n".repeat(254));
  expect(nameOf({ name: `${"n".repeat(253)}é` })).toBe(`${"n".repeat(253)}é`);
});

test.each<[string, NeedleFields]>([
  ["media type", { mediaType: "m".repeat(256) }],
  ["pairs", { pairs: { a: "x".repeat(65_536) } }],
  ["date of modification", { lastModifiedSec: 2 ** 40 }],
  ["date of modification", { lastModifiedSec: -1 }],
  ["date of modification", { lastModifiedSec: 0.5 }],
  ["TTL", { ttl: { count: 256, unit: "day" } }],
])("a %s that the format cannot hold is refused", (name, fields) => {
  expect(encodeFields(fields)).toContain(name);
});

test.each(["7b", "5b5d", "7b2261223a317d", "6e756c6c"])(
  "pairs that are no object of texts (%s) are told",
  (hexText) => {
    const length = (hexText.length / 2).toString(16).padStart(4, "0");
    expect(decodeFields(bytesOf(`20${length}${hexText}`), 0)).toContain("pairs");
  },
);

test("a whole needle with every field is written byte for byte as the format says", () => {
  const needle: NewNeedle = {
    needleId: FID.needleId,
    cookie: FID.cookie,
    data: DATA,
    checksum: 0xe306_9283,
    fields: encodeFields(ALL) as Uint8Array,
  };
  // Body: 4 + 9 + 1 + 3 + 4 + 5 + 2 + 11 = 39 bytes; 16 + 39 + 12 = 67, and 5 of padding.
  const expected = bytesOf(`
    00000007 0000000000000009 00000027
    00000009 313233343536373839
    bf 02 6162 03 742f70 0000000002 03 02 0009 7b2261223a2262227d
    e3069283 0102030405060708
    00000027 00
  `);
  const record = Buffer.alloc(PREFIX_BYTES + 9 + suffixBytesOf(needle), 0xee);
  writeNeedle(record, 0, needle, 0x0102_0304_0506_0708n);
  expect(record.toString("hex")).toBe(expected.toString("hex"));
  expect(open(expected, 39, 3)).toEqual({
    ...ALL,
    data: Buffer.from(DATA),
    checksum: 0xe306_9283,
    appendedNs: 0x0102_0304_0506_0708n,
  });
});

function open(record: Buffer, bodyBytes: number, version: FormatVersion): StoredNeedle | undefined {
  return openRecord(FID, { record, bodyBytes, version }, systemHashes);
}

// Version 2: 16 + 21 + 4 = 41, and 7 of padding, which its writers took from memory: half a date, half an id.
const OF_VERSION_2 = bytesOf(`
  00000007 0000000000000009 00000015
  00000009 313233343536373839 0a 01 61 0000000002
  e3069283 00000002 000000
`);

test("a needle of version 2 has its fields and no date of the append", () => {
  expect(open(OF_VERSION_2, 21, 2)).toEqual({
    name: "a",
    lastModifiedSec: 2,
    data: Buffer.from(DATA),
    checksum: 0xe306_9283,
    appendedNs: 0n,
  });
});

test("a needle of version 1 is its data, here with the checksum of before SeaweedFS 3.09", () => {
  // 16 + 9 + 4 = 29, and 3 of padding.
  const record = bytesOf(`
    00000007 0000000000000009 00000009
    313233343536373839 c78ab0e5 000000
  `);
  expect(open(record, 9, 1)).toEqual({
    data: Buffer.from(DATA),
    checksum: 0xe306_9283,
    appendedNs: 0n,
  });
});

test("tombstones of versions 1 and 2 have 24 bytes", () => {
  const record = bytesOf("00000007 0000000000000009 00000000 e3069283 00000000");
  for (const version of [1, 2] as const) {
    expect(open(record, 0, version)?.data.length).toBe(0);
  }
});

test("another cookie is another needle, and any other difference is corruption", () => {
  const stranger = { ...FID, cookie: 8 };
  const found = { record: OF_VERSION_2, bodyBytes: 21, version: 2 } as const;
  expect(openRecord(stranger, found, systemHashes)).toBeUndefined();
  for (const [at, value] of [
    [11, 8],
    [15, 0x16],
    [20, 0x30],
    [29, 0x0b],
    [29, 0x1a],
  ] as const) {
    const record = Buffer.from(OF_VERSION_2);
    record[at] = value;
    const isFlagOfContent = at === 29 && value === 0x0b;
    const read = (): unknown => openRecord(FID, { ...found, record }, systemHashes);
    // The checksum is of the data alone: a flag that adds no field cannot be checked.
    if (isFlagOfContent) expect(read()).toMatchObject({ isGzip: true });
    else expect(read).toThrow(VolumeError);
  }
});
