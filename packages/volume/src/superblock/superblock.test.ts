import { expect, test } from "bun:test";
import { VolumeError } from "../errors.ts";
import { NEW_SUPERBLOCK, encodeSuperblock, parseSuperblock } from "./superblock.ts";

test("a new superblock is version 3 and zeros", () => {
  expect(Buffer.from(encodeSuperblock(NEW_SUPERBLOCK)).toString("hex")).toBe("0300000000000000");
});

test("every field is read from its place", () => {
  expect(parseSuperblock(Buffer.from("0302050301020010", "hex"), "x")).toEqual({
    replicaPlacement: 2,
    ttlCount: 5,
    ttlUnit: 3,
    compactionRevision: 0x0102,
    extraBytes: 16,
  });
});

test("a superblock is read as it was written", () => {
  const superblock = { ...NEW_SUPERBLOCK, replicaPlacement: 110, compactionRevision: 65_535 };
  expect(parseSuperblock(Buffer.from(encodeSuperblock(superblock)), "x")).toEqual(superblock);
});

test.each([
  ["too short", "030000"],
  ["of version 2", "0200000000000000"],
  ["of version 4", "0400000000000000"],
  ["zeros", "0000000000000000"],
  ["with an extra field that is not aligned", "0300000000000004"],
])("a superblock that is %s is refused", (_name, hexText) => {
  const parse = (): unknown => parseSuperblock(Buffer.from(hexText, "hex"), "x");
  expect(parse).toThrow(VolumeError);
  expect(parse).toThrow("Cannot open volume x: ");
});
