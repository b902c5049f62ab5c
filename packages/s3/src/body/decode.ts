import { type ByteStream, type Hashes, joinBytes } from "@kelp/base";
import type { S3Caller } from "../auth/index.ts";
import type { S3Request } from "../request.ts";
import {
  BodyChecks,
  type ChecksumHeaders,
  type VerifiedChecksum,
  readExpectations,
} from "./body-checks.ts";
import { FramedBody } from "./framed-checks.ts";

export interface DecodeOptions {
  readonly hashes: Hashes;
  /**
   * `verify` when absent. `ignore` for CompleteMultipartUpload, whose `x-amz-checksum-*` headers speak of the object
   * and not of the XML in the body.
   */
  readonly checksumHeaders?: ChecksumHeaders;
}

export interface DecodedBody {
  /** Decoded length if the headers tell it. */
  readonly sizeBytes: number | undefined;
  /**
   * Decoded bytes, to be read once and to the end: it throws `S3Error` there, before the reader commits, on any
   * mismatch of hash, checksum, chunk signature, trailer or length. Its pieces are views of the source's.
   */
  readonly stream: ByteStream;
  /** What was verified, for storing and echoing. Valid only after the stream has ended. */
  readonly verified: () => readonly VerifiedChecksum[];
}

export interface WholeBody {
  /** A view of the given bytes, or one copy when they came in several frames. */
  readonly bytes: Uint8Array;
  readonly verified: readonly VerifiedChecksum[];
}

const NO_TRAILERS: ReadonlyMap<string, string> = new Map();

/**
 * Undoes the framing of a request body and verifies all that its headers, chunk signatures and trailers promise.
 * Throws `S3Error` at once for promises that cannot be read (`MissingContentLength`, `InvalidDigest`,
 * `InvalidRequest`, `InvalidArgument`, `MalformedTrailerError`), and from the stream for those that do not hold
 * (`BadDigest`, `XAmzContentSHA256Mismatch`, `SignatureDoesNotMatch`, `IncompleteBody`, and the former).
 * Nothing is buffered; what is held is one unfinished chunk header.
 */
export function decodeBody(
  request: S3Request,
  source: ByteStream,
  caller: S3Caller,
  options: DecodeOptions,
): DecodedBody {
  const expectations = readExpectations(request, caller, options.checksumHeaders ?? "verify");
  const checks = new BodyChecks(expectations, options.hashes);
  const { payload } = caller;
  const isFramed = payload.kind === "chunks-signed" || payload.kind === "chunks-unsigned";
  return {
    sizeBytes: expectations.sizeBytes,
    stream: isFramed
      ? decodeFramed(source, new FramedBody(payload, expectations, checks, options.hashes), checks)
      : decodePlain(source, checks),
    verified: () => checks.verified,
  };
}

/** The same for a small body that is in memory already, without asynchronous steps. Throws what `decodeBody` throws. */
export function decodeWhole(
  request: S3Request,
  bytes: Uint8Array,
  caller: S3Caller,
  options: DecodeOptions,
): WholeBody {
  const expectations = readExpectations(request, caller, options.checksumHeaders ?? "verify");
  const checks = new BodyChecks(expectations, options.hashes);
  const { payload } = caller;
  if (payload.kind !== "chunks-signed" && payload.kind !== "chunks-unsigned") {
    checks.updateWhole(bytes);
    checks.finish(NO_TRAILERS);
    return { bytes, verified: checks.verified };
  }
  const framed = new FramedBody(payload, expectations, checks, options.hashes);
  const content = joinBytes(framed.push(bytes));
  checks.updateWhole(content);
  framed.finish();
  return { bytes: content, verified: checks.verified };
}

async function* decodePlain(source: ByteStream, checks: BodyChecks): ByteStream {
  for await (const bytes of source) {
    checks.update(bytes);
    yield bytes;
  }
  checks.finish(NO_TRAILERS);
}

async function* decodeFramed(
  source: ByteStream,
  framed: FramedBody,
  checks: BodyChecks,
): ByteStream {
  for await (const bytes of source) {
    for (const data of framed.push(bytes)) {
      checks.update(data);
      yield data;
    }
  }
  framed.finish();
}
