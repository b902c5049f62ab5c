import { expect, test } from "bun:test";
import { utf8 } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { needleId } from "@kelp/wire";
import { decodeNeedle, readHeader } from "./decode.ts";
import { writeNeedle, writeTombstone } from "./encode.ts";
import { bodyBytesOf, recordBytesOf } from "./layout.ts";

// Written by hand from the byte table in layout.ts. The checksum of "123456789" is the published check value.
const CHECK_DATA = utf8("123456789");
const CHECK_RECORD = bytesOf(`
  637037d6 0000000000000001 0000000e
  00000009 313233343536373839 00
  e3069283 0102030405060708
  0000000e 0000
`);
const DATE = 0x0102_0304_0506_0708n;

function bytesOf(hexText: string): Buffer {
  return Buffer.from(hexText.replaceAll(/\s/g, ""), "hex");
}

function decode(record: Buffer) {
  return decodeNeedle(record, readHeader(record, 0).bodyBytes, systemHashes);
}

test("a needle is written byte for byte as the format says", () => {
  const record = Buffer.alloc(48, 0xee);
  const needle = {
    needleId: needleId(1n),
    cookie: 0x6370_37d6,
    data: CHECK_DATA,
    checksum: 0xe306_9283,
  };
  writeNeedle(record, 0, needle, DATE);
  expect(record.toString("hex")).toBe(CHECK_RECORD.toString("hex"));
});

test("a tombstone is written byte for byte as the format says", () => {
  const record = Buffer.alloc(32, 0xee);
  const address = { needleId: needleId(0xff00_0000_0000_0002n), cookie: 0xffff_ffff };
  writeTombstone(record, 0, address, DATE);
  const expected = bytesOf("ffffffff ff00000000000002 00000000 00000000 0102030405060708 00000000");
  expect(record.toString("hex")).toBe(expected.toString("hex"));
});

test("a tombstone is read whatever its checksum, which SeaweedFS leaves from the removed data", () => {
  const record = bytesOf("00000001 0000000000000002 00000000 abe2f138 0102030405060708 00000000");
  expect(decode(record)).toMatchObject({ kind: "needle", dateNs: DATE });
});

test("an empty needle is written with a body, so that it is no tombstone", () => {
  const record = Buffer.alloc(40, 0xee);
  const needle = { needleId: needleId(1n), cookie: 2, data: new Uint8Array(0), checksum: 0 };
  writeNeedle(record, 0, needle, DATE);
  const expected = bytesOf(`
    00000002 0000000000000001 00000005
    00000000 00
    00000000 0102030405060708
    00000005 000000
  `);
  expect(record.toString("hex")).toBe(expected.toString("hex"));
  expect(decode(record)).toMatchObject({ kind: "needle", data: new Uint8Array(0) });
});

// 28 bytes and the body; at least one byte of padding, even where none is needed.
test.each([
  [0, 32],
  [3, 32],
  [4, 40],
  [5, 40],
  [11, 40],
  [12, 48],
  [2_097_157, 2_097_192],
])("a body of %i bytes makes a record of %i", (bodyBytes, recordBytes) => {
  expect(recordBytesOf(bodyBytes)).toBe(recordBytes);
});

test("padding of 8 bytes holds the size and zeros", () => {
  const data = new Uint8Array(7);
  const record = Buffer.alloc(recordBytesOf(bodyBytesOf(7)), 0xee);
  writeNeedle(record, 0, { needleId: needleId(1n), cookie: 1, data, checksum: 0 }, 0n);
  // 16 + 12 + 12 = 40.
  expect(record.subarray(40).toString("hex")).toBe("0000000c00000000");
});

test("reading gives the data, the flags and the date", () => {
  expect(decode(CHECK_RECORD)).toEqual({
    kind: "needle",
    data: Buffer.from(CHECK_DATA),
    flags: 0,
    dateNs: DATE,
    checksum: 0xe306_9283,
    ttlMs: undefined,
  });
});

test("the checksum as written before SeaweedFS 3.09 is accepted", () => {
  // 0xe3069283 rotated right by 15 is 0x2507c60d; plus 0xa282ead8 is 0xc78ab0e5.
  const record = Buffer.from(CHECK_RECORD);
  record.writeUInt32BE(0xc78a_b0e5, 30);
  expect(decode(record).kind).toBe("needle");
});

// Name "ab", type "t/p", modified 2, TTL 3 hours, pairs "{}": 3 + 4 + 5 + 2 + 4 = 18 bytes.
const ALL_FIELDS = bytesOf(`
  00000007 0000000000000009 00000020
  00000009 313233343536373839 bf
  026162 03742f70 0000000002 0302 00027b7d
  e3069283 0102030405060708
  00000020
`);

test("optional fields are skipped and the TTL is understood", () => {
  expect(decode(ALL_FIELDS)).toEqual({
    kind: "needle",
    data: Buffer.from(CHECK_DATA),
    flags: 0xbf,
    dateNs: DATE,
    checksum: 0xe306_9283,
    ttlMs: 3 * 3600 * 1000,
  });
});

test.each([
  ["a flipped bit of the data", 20, 0x30],
  ["a flipped bit of the checksum", 30, 0xe2],
  ["data size that is too large for the body", 18, 0x01],
  ["data size that leaves bytes over", 19, 0x08],
  ["a flag for a field that is not there", 29, 0x08],
])("%s is corruption", (_name, at, value) => {
  const record = Buffer.from(CHECK_RECORD);
  record[at] = value;
  expect(decode(record).kind).toBe("corrupt");
});

test("optional fields that reach beyond the body are corruption", () => {
  const record = Buffer.from(ALL_FIELDS);
  // The length of the name.
  record[30] = 0xff;
  expect(decode(record)).toEqual({
    kind: "corrupt",
    reason: "optional fields do not fill the body",
  });
});

test("a record of another length than its size says is corruption", () => {
  expect(decodeNeedle(CHECK_RECORD.subarray(0, 40), 14, systemHashes).kind).toBe("corrupt");
});

test("a body that has no room for its fields is corruption", () => {
  const record = bytesOf("00000001 0000000000000001 00000003 000000 00000000 0000000000000000 00");
  expect(decode(record).kind).toBe("corrupt");
});
