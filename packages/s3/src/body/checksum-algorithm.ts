import { base64, parseBase64 } from "@kelp/base";
import { S3Error } from "../errors.ts";

/** Checksums that are verified; others that a client may name are passed over. */
export type ChecksumAlgorithm = "crc32" | "crc32c" | "crc64nvme" | "sha1" | "sha256";

const SIZE_BYTES = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
} as const satisfies Readonly<Record<ChecksumAlgorithm, number>>;

export const CHECKSUM_ALGORITHMS = Object.keys(SIZE_BYTES) as readonly ChecksumAlgorithm[];

const PREFIX = "x-amz-checksum-";
const BY_HEADER: ReadonlyMap<string, ChecksumAlgorithm> = new Map(
  CHECKSUM_ALGORITHMS.map((algorithm) => [`${PREFIX}${algorithm}`, algorithm]),
);

/** The algorithm of `x-amz-checksum-crc32` and its like; `undefined` for any other header name (lower case). */
export function checksumOfHeader(name: string): ChecksumAlgorithm | undefined {
  return name.startsWith(PREFIX) ? BY_HEADER.get(name) : undefined;
}

/** Throws `S3Error` `InvalidRequest` unless `text` is the base64 of a value of this algorithm. */
export function parseChecksum(algorithm: ChecksumAlgorithm, text: string): Uint8Array {
  const bytes = parseBase64(text);
  // Decoding drops stray bits, so only what encodes to the same text is the value that the client meant.
  if (bytes?.length !== SIZE_BYTES[algorithm] || base64(bytes) !== text) {
    throw new S3Error("InvalidRequest", `The value of ${PREFIX}${algorithm} is not valid`);
  }
  return bytes;
}
