/** Request bodies of the S3 door: framing undone, content verified. */
export type { VerifiedChecksum } from "./body-checks.ts";
export type { ChecksumAlgorithm } from "./checksum-algorithm.ts";
export {
  type DecodeOptions,
  type DecodedBody,
  type WholeBody,
  decodeBody,
  decodeWhole,
} from "./decode.ts";
