import { type Hashes, hex } from "@kelp/base";
import { isSignatureHex } from "./credential.ts";

/** SHA-256 of no bytes. */
const EMPTY_SHA256_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export interface ChunkSignerSeed {
  readonly signingKey: Uint8Array;
  /** `20130524T000000Z` */
  readonly timestamp: string;
  /** `20130524/us-east-1/s3/aws4_request` */
  readonly scope: string;
  /** The proven signature of the request's headers, where the chain starts. */
  readonly signatureHex: string;
}

/**
 * Verifies the chain of signatures through one `aws-chunked` body. Each covers the one before it, so chunks can be
 * neither changed, dropped, repeated nor reordered. Belongs to one body: it moves along with it.
 */
export class ChunkSigner {
  readonly #seed: ChunkSignerSeed;
  readonly #hashes: Hashes;
  #previousHex: string;

  constructor(seed: ChunkSignerSeed, hashes: Hashes) {
    this.#seed = seed;
    this.#hashes = hashes;
    this.#previousHex = seed.signatureHex;
  }

  /** True when `signatureHex` is right for the next chunk, whose content hashes to `sha256`; the chain then moves on. */
  acceptChunk(sha256: Uint8Array, signatureHex: string): boolean {
    const { timestamp, scope } = this.#seed;
    return this.#accept(
      `AWS4-HMAC-SHA256-PAYLOAD\n${timestamp}\n${scope}\n${this.#previousHex}\n${EMPTY_SHA256_HEX}\n${hex(sha256)}`,
      signatureHex,
    );
  }

  /** The same for the trailer: `sha256` is of its lines as `name:value\n`. */
  acceptTrailer(sha256: Uint8Array, signatureHex: string): boolean {
    const { timestamp, scope } = this.#seed;
    return this.#accept(
      `AWS4-HMAC-SHA256-TRAILER\n${timestamp}\n${scope}\n${this.#previousHex}\n${hex(sha256)}`,
      signatureHex,
    );
  }

  #accept(stringToSign: string, signatureHex: string): boolean {
    if (!isSignatureHex(signatureHex)) return false;
    const expected = this.#hashes.hmacSha256(this.#seed.signingKey, stringToSign);
    if (!this.#hashes.equalInConstantTime(expected, Uint8Array.fromHex(signatureHex))) return false;
    this.#previousHex = signatureHex;
    return true;
  }
}
