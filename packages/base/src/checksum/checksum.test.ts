import { expect, test } from "bun:test";
import { hex, utf8 } from "../bytes.ts";
import { systemHashes } from "../platform/index.ts";

const CHECK_INPUT = utf8("123456789");

test.each([
  ["md5", "25f9e794323b453885f5181f1b624d0b"],
  ["sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"],
  ["sha256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"],
  ["crc32", "cbf43926"],
  ["crc32c", "e3069283"],
  ["crc64nvme", "ae8b14860a799888"],
] as const)("%s of the check input is the published value", (algorithm, expected) => {
  expect(hex(systemHashes.digest(algorithm, CHECK_INPUT))).toBe(expected);
});

test.each(["md5", "sha1", "sha256", "crc32", "crc32c", "crc64nvme"] as const)(
  "%s of a text is that of its UTF-8",
  (algorithm) => {
    for (const text of ["", "plain", "ä \u20ac \ud83d\ude00 \u0000", "\ud800 alone"]) {
      const ofBytes = systemHashes.digest(algorithm, utf8(text));
      expect(hex(systemHashes.digest(algorithm, text))).toBe(hex(ofBytes));
    }
  },
);

test.each(["crc32", "crc32c", "crc64nvme", "md5"] as const)(
  "%s is the same in pieces as at once",
  (algorithm) => {
    const bytes = utf8("kelp ".repeat(1000));
    const hasher = systemHashes.create(algorithm);
    for (let at = 0; at < bytes.length; at += 37) hasher.update(bytes.subarray(at, at + 37));
    expect(hex(hasher.digest())).toBe(hex(systemHashes.digest(algorithm, bytes)));
  },
);
