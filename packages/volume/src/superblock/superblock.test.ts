import { expect, test } from "bun:test";
import { VolumeError } from "../errors.ts";
import { NEW_SUPERBLOCK, encodeSuperblock, parseSuperblock } from "./superblock.ts";

// Hex by hand from the byte table in superblock.ts.

test("a new superblock is version 3 and zeros", () => {
  expect(Buffer.from(encodeSuperblock(NEW_SUPERBLOCK)).toString("hex")).toBe("0300000000000000");
});

test.each([1, 2, 3] as const)("every field of version %i is read from its place", (version) => {
  const bytes = Buffer.from(`0${version}6e050301020010`, "hex");
  expect(parseSuperblock(bytes, "x")).toEqual({
    version,
    replicaPlacement: 110,
    ttl: { count: 5, unit: "day" },
    compactionRevision: 0x0102,
    // Version 1 has no extra field: its readers take what follows for needles.
    extraBytes: version === 1 ? 0 : 16,
  });
});

test("every field is written to its place", () => {
  const superblock = {
    version: 2,
    replicaPlacement: 110,
    ttl: { count: 7, unit: "year" },
    compactionRevision: 65_535,
    extraBytes: 264,
  } as const;
  expect(Buffer.from(encodeSuperblock(superblock)).toString("hex")).toBe("026e0706ffff0108");
  expect(parseSuperblock(Buffer.from(encodeSuperblock(superblock)), "x")).toEqual(superblock);
});

test("a TTL of no count, of no unit or of an unknown unit is for ever", () => {
  for (const ttl of ["0003", "0500", "0507"]) {
    const bytes = Buffer.from(`0300${ttl}00000000`, "hex");
    expect(parseSuperblock(bytes, "x").ttl).toEqual({ count: 0, unit: "none" });
  }
});

test.each([
  ["too short", "030000"],
  ["of version 4", "0400000000000000"],
  ["zeros", "0000000000000000"],
  ["with an extra field that is not aligned", "0300000000000004"],
])("a superblock that is %s is refused", (_name, hexText) => {
  const parse = (): unknown => parseSuperblock(Buffer.from(hexText, "hex"), "x");
  expect(parse).toThrow(VolumeError);
  expect(parse).toThrow("Cannot open volume x: ");
});
