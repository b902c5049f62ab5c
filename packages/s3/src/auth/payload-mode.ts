import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";
import type { ChunkSigner } from "./chunk-signer.ts";

/** How a body is framed and what proves it. */
export type PayloadMode =
  /** `x-amz-content-sha256` holds the hash of the whole body; compared while reading. */
  | { readonly kind: "hash"; readonly sha256: Uint8Array }
  /** `UNSIGNED-PAYLOAD`, or nothing said. */
  | { readonly kind: "unsigned" }
  /** `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, with `-TRAILER` when `hasTrailer`. */
  | { readonly kind: "chunks-signed"; readonly signer: ChunkSigner; readonly hasTrailer: boolean }
  /** `STREAMING-UNSIGNED-PAYLOAD-TRAILER`. */
  | { readonly kind: "chunks-unsigned"; readonly hasTrailer: true };

/** What the client declared, before a signer exists. */
export type PayloadDeclaration =
  | Exclude<PayloadMode, { readonly kind: "chunks-signed" }>
  | { readonly kind: "chunks-signed"; readonly hasTrailer: boolean };

const UNSIGNED: PayloadDeclaration = { kind: "unsigned" };
const CHUNKS_UNSIGNED: PayloadDeclaration = { kind: "chunks-unsigned", hasTrailer: true };

/** What requests without a body say of it. */
const EMPTY_SHA256_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const EMPTY_HASH: PayloadDeclaration = {
  kind: "hash",
  sha256: Uint8Array.fromHex(EMPTY_SHA256_HEX),
};

/** Throws `S3Error` `InvalidArgument` for a value that is neither a hash nor a known word. */
export function declaredPayload(
  headers: S3Request["headers"],
  contentSha256: string | undefined,
): PayloadDeclaration {
  switch (contentSha256) {
    case undefined:
      // Unsigned clients frame the body without saying so here; the coding is all there is to go by.
      return isAwsChunked(headers["content-encoding"]) ? CHUNKS_UNSIGNED : UNSIGNED;
    case EMPTY_SHA256_HEX:
      return EMPTY_HASH;
    case "UNSIGNED-PAYLOAD":
      return UNSIGNED;
    case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
      return CHUNKS_UNSIGNED;
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
      return { kind: "chunks-signed", hasTrailer: false };
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
      return { kind: "chunks-signed", hasTrailer: true };
    default:
      return { kind: "hash", sha256: parseContentSha256(contentSha256) };
  }
}

function parseContentSha256(text: string): Uint8Array {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Uint8Array.fromHex(text);
  throw new S3Error(
    "InvalidArgument",
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- value or a SHA-256 in hex",
  );
}

function isAwsChunked(contentEncoding: string | undefined): boolean {
  if (contentEncoding === undefined || !contentEncoding.includes("aws-chunked")) return false;
  return contentEncoding.split(",").some((coding) => coding.trim() === "aws-chunked");
}
