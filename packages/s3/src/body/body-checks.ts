import { type HashAlgorithm, type Hasher, type Hashes, base64, parseBase64 } from "@kelp/base";
import type { S3Caller } from "../auth/index.ts";
import { S3Error, type S3ErrorCode } from "../errors.ts";
import type { S3Request } from "../request.ts";
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  checksumOfHeader,
  parseChecksum,
} from "./checksum-algorithm.ts";

export interface VerifiedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly base64: string;
}

/** What a body must turn out to be, as far as the request's head tells. */
export interface Expectations {
  /** Decoded length, if told. */
  readonly sizeBytes: number | undefined;
  readonly digests: readonly ExpectedDigest[];
  /** Checksums whose values come after the data. */
  readonly trailerAlgorithms: readonly ChecksumAlgorithm[];
  /** Names in `x-amz-trailer`, lower case. */
  readonly trailerNames: readonly string[];
}

interface ExpectedDigest {
  readonly algorithm: HashAlgorithm;
  readonly digest: Uint8Array;
  readonly code: S3ErrorCode;
  /** The checksum to echo; absent for `Content-MD5` and `x-amz-content-sha256`. */
  readonly checksum: ChecksumAlgorithm | undefined;
}

/** `ignore` where `x-amz-checksum-*` describes an object instead of this body (CompleteMultipartUpload). */
export type ChecksumHeaders = "verify" | "ignore";

/** Reads all that the headers promise of the body. Throws `S3Error` for promises that cannot be read. */
export function readExpectations(
  request: S3Request,
  caller: S3Caller,
  checksumHeaders: ChecksumHeaders,
): Expectations {
  const { headers } = request;
  const digests: ExpectedDigest[] = [];
  if (caller.payload.kind === "hash") {
    digests.push({
      algorithm: "sha256",
      digest: caller.payload.sha256,
      code: "XAmzContentSHA256Mismatch",
      checksum: undefined,
    });
  }
  const contentMd5 = headers["content-md5"];
  if (typeof contentMd5 === "string") digests.push(expectedMd5(contentMd5));
  if (checksumHeaders === "verify") {
    for (const checksum of CHECKSUM_ALGORITHMS) {
      const text = headers[`x-amz-checksum-${checksum}`];
      if (typeof text !== "string") continue;
      const digest = parseChecksum(checksum, text);
      digests.push({ algorithm: checksum, digest, code: "BadDigest", checksum });
    }
  }
  const trailerNames = declaredTrailers(request);
  const trailerAlgorithms: ChecksumAlgorithm[] = [];
  for (const name of trailerNames) {
    const algorithm = checksumOfHeader(name);
    if (algorithm !== undefined) trailerAlgorithms.push(algorithm);
  }
  return { sizeBytes: decodedSize(request, caller), digests, trailerAlgorithms, trailerNames };
}

/** Hashes a body once per algorithm while it passes, and compares at its end. */
export class BodyChecks {
  readonly #expectations: Expectations;
  readonly #hashes: Hashes;
  readonly #hashers = new Map<HashAlgorithm, Hasher>();
  readonly #computed = new Map<HashAlgorithm, Uint8Array>();
  #verified: readonly VerifiedChecksum[] = [];
  #sizeBytes = 0;

  constructor(expectations: Expectations, hashes: Hashes) {
    this.#expectations = expectations;
    this.#hashes = hashes;
  }

  get verified(): readonly VerifiedChecksum[] {
    return this.#verified;
  }

  /** Takes decoded bytes in order. Throws `IncompleteBody` as soon as there are more than announced. */
  update(bytes: Uint8Array): void {
    if (this.#sizeBytes === 0) this.#start();
    this.#count(bytes.length);
    for (const hasher of this.#hashers.values()) hasher.update(bytes);
  }

  /** Takes a whole decoded body at once, in place of any number of `update`s. */
  updateWhole(bytes: Uint8Array): void {
    this.#count(bytes.length);
    for (const algorithm of this.#algorithms()) {
      this.#computed.set(algorithm, this.#hashes.digest(algorithm, bytes));
    }
  }

  /** `trailers`: values by lower-case name, all of them declared. Throws on the first promise that does not hold. */
  finish(trailers: ReadonlyMap<string, string>): void {
    const { sizeBytes, digests, trailerNames } = this.#expectations;
    if (sizeBytes !== undefined && sizeBytes !== this.#sizeBytes) throw wrongSize();
    const verified: VerifiedChecksum[] = [];
    for (const { algorithm, digest, code, checksum } of digests) {
      this.#compare(algorithm, digest, code);
      if (checksum !== undefined) verified.push({ algorithm: checksum, base64: base64(digest) });
    }
    for (const name of trailerNames) {
      const algorithm = checksumOfHeader(name);
      const text = trailers.get(name);
      if (text === undefined) throw new S3Error("MalformedTrailerError", `${name} is missing`);
      if (algorithm === undefined) continue;
      this.#compare(algorithm, parseChecksum(algorithm, text), "BadDigest");
      if (!verified.some((known) => known.algorithm === algorithm)) {
        verified.push({ algorithm, base64: text });
      }
    }
    this.#verified = verified;
  }

  #start(): void {
    for (const algorithm of this.#algorithms()) {
      if (!this.#hashers.has(algorithm)) {
        this.#hashers.set(algorithm, this.#hashes.create(algorithm));
      }
    }
  }

  #algorithms(): ReadonlySet<HashAlgorithm> {
    const { digests, trailerAlgorithms } = this.#expectations;
    const algorithms = new Set<HashAlgorithm>(trailerAlgorithms);
    for (const { algorithm } of digests) algorithms.add(algorithm);
    return algorithms;
  }

  #count(sizeBytes: number): void {
    this.#sizeBytes += sizeBytes;
    const expected = this.#expectations.sizeBytes;
    if (expected !== undefined && this.#sizeBytes > expected) throw wrongSize();
  }

  #compare(algorithm: HashAlgorithm, expected: Uint8Array, code: S3ErrorCode): void {
    const known = this.#computed.get(algorithm);
    const hasher = this.#hashers.get(algorithm) ?? this.#hashes.create(algorithm);
    const computed = known ?? hasher.digest();
    this.#computed.set(algorithm, computed);
    if (!this.#hashes.equalInConstantTime(computed, expected)) throw new S3Error(code);
  }
}

function expectedMd5(text: string): ExpectedDigest {
  const digest = parseBase64(text.trim());
  if (digest?.length !== 16) throw new S3Error("InvalidDigest");
  return { algorithm: "md5", digest, code: "BadDigest", checksum: undefined };
}

function declaredTrailers(request: S3Request): readonly string[] {
  const header = request.headers["x-amz-trailer"];
  if (typeof header !== "string") return [];
  const names = header.split(",").map((name) => name.trim().toLowerCase());
  if (names.includes("") || new Set(names).size !== names.length) {
    throw new S3Error("MalformedTrailerError", "x-amz-trailer is malformed");
  }
  return names;
}

function decodedSize(request: S3Request, caller: S3Caller): number | undefined {
  const { headers } = request;
  if (caller.payload.kind === "chunks-signed" || caller.payload.kind === "chunks-unsigned") {
    const text = headers["x-amz-decoded-content-length"];
    if (typeof text !== "string") {
      throw new S3Error("MissingContentLength", "x-amz-decoded-content-length is missing");
    }
    return parseSize(text);
  }
  const text = headers["content-length"];
  if (text !== undefined) return parseSize(text);
  if (headers["transfer-encoding"] !== undefined) return undefined;
  if (request.method === "PUT") throw new S3Error("MissingContentLength");
  return 0;
}

/** 15 digits are below 2^53. */
function parseSize(text: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new S3Error("InvalidArgument", "A content length must be a decimal number");
  }
  return Number(text);
}

function wrongSize(): S3Error {
  return new S3Error("IncompleteBody", "The body has not the number of bytes that was announced");
}
