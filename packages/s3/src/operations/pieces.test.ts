import { describe, expect, test } from "bun:test";
import { decodeToken, encodeToken } from "./tokens.ts";
import { partCount, partRange, partSizesAttributes } from "./part-sizes.ts";
import { codeOf, requestOf } from "../auth/testing.ts";
import { combineCrc } from "./crc-combine.ts";
import { parseChecksumPlan } from "./checksums.ts";
import { parseCopySource } from "./copy-source.ts";
import { systemHashes } from "@kelp/base/platform";

describe("the CRC of a whole from its pieces", () => {
  const bytes = new Uint8Array(100_000).map((_, index) => (index * 31) ^ (index >> 7));
  for (const name of ["crc32", "crc32c", "crc64nvme"] as const) {
    for (const cuts of [[], [1], [5000, 5000], [0, 40_000, 99_999]]) {
      test(`${name} cut at ${cuts.join(", ")}`, () => {
        const ends = [...cuts, bytes.length];
        const pieces = ends.map((end, index) => {
          const piece = bytes.subarray(ends[index - 1] ?? 0, end);
          return { crc: systemHashes.digest(name, piece), sizeBytes: piece.length };
        });
        expect(Buffer.from(combineCrc(name, pieces))).toEqual(
          Buffer.from(systemHashes.digest(name, bytes)),
        );
      });
    }
  }
});

describe("sizes of parts", () => {
  const sizes = [5, 5, 5, 7, 0, 3];
  const attributes = partSizesAttributes(sizes);
  test("are kept as runs", () => {
    expect(Object.values(attributes)).toEqual(["3*5,1*7,1*0,1*3"]);
    expect(partCount(attributes)).toBe(6);
    expect(partCount({})).toBeUndefined();
  });
  test("give each part its place", () => {
    let start = 0;
    for (const [index, sizeBytes] of sizes.entries()) {
      expect(partRange(attributes, index + 1)).toEqual({ start, end: start + sizeBytes });
      start += sizeBytes;
    }
    expect(partRange(attributes, 7)).toBeUndefined();
  });
});

describe("continuation tokens", () => {
  test("carry any key", () => {
    for (const key of ["", "a", "é𝒳/\u0001", "k".repeat(1024)]) {
      expect(decodeToken(encodeToken(key, systemHashes), systemHashes)).toBe(key);
    }
  });
  test("are refused when changed or made up", () => {
    const token = encodeToken("some/key", systemHashes);
    for (const bad of [
      "",
      "garbage",
      "AAAA",
      `${token}A`,
      token.slice(0, -2),
      `A${token.slice(1)}`,
      `${token}=`,
    ]) {
      expect([bad, codeOf(() => decodeToken(bad, systemHashes))]).toEqual([bad, "InvalidArgument"]);
    }
  });
});

describe("copy sources", () => {
  const parse = (header: string): ReturnType<typeof parseCopySource> =>
    parseCopySource(requestOf({ headers: [["x-amz-copy-source", header]] }));
  test("are paths: plus stays, escapes of either case are undone, the first slash may be missing", () => {
    expect(parse("/bkt/a+b%2Fc%2fd%20e")).toMatchObject({ bucket: "bkt", key: "a+b/c/d e" });
    expect(parse("bkt//k")).toMatchObject({ bucket: "bkt", key: "/k" });
    expect(parse("bkt%2Fk")).toMatchObject({ bucket: "bkt", key: "k" });
  });
  test("have a version only behind an unescaped question mark", () => {
    expect(parse("bkt/k?versionId=v1")).toMatchObject({ key: "k", versionId: "v1" });
    expect(parse("bkt/k%3FversionId=v1")).toMatchObject({
      key: "k?versionId=v1",
      versionId: undefined,
    });
  });
  test("must name an object", () => {
    for (const bad of ["", "/", "bkt", "bkt/", "/bkt", "/bkt/"]) {
      expect([bad, codeOf(() => parse(bad))]).toEqual([bad, "InvalidArgument"]);
    }
    expect(codeOf(() => parse("Bad_Bucket/k"))).toBe("InvalidBucketName");
    expect(codeOf(() => parse("bkt/%zz"))).toBe("InvalidURI");
  });
});

test("checksum plans that cannot be are refused", () => {
  const plan = (algorithm: string, type?: string): unknown =>
    parseChecksumPlan({
      "x-amz-checksum-algorithm": algorithm,
      ...(type !== undefined && { "x-amz-checksum-type": type }),
    });
  expect(plan("CRC32")).toEqual({ algorithm: "crc32", type: "COMPOSITE" });
  expect(plan("CRC64NVME")).toEqual({ algorithm: "crc64nvme", type: "FULL_OBJECT" });
  expect(plan("crc32c", "full_object")).toEqual({ algorithm: "crc32c", type: "FULL_OBJECT" });
  expect(codeOf(() => plan("SHA256", "FULL_OBJECT"))).toBe("InvalidRequest");
  expect(codeOf(() => plan("CRC64NVME", "COMPOSITE"))).toBe("InvalidRequest");
  expect(codeOf(() => plan("MD4"))).toBe("InvalidRequest");
  expect(codeOf(() => parseChecksumPlan({ "x-amz-checksum-type": "COMPOSITE" }))).toBe(
    "InvalidRequest",
  );
});
