import { type Hasher, type Hashes } from "@kelp/base";
import type { ChunkSigner, PayloadMode } from "../auth/index.ts";
import { S3Error } from "../errors.ts";
import type { BodyChecks, Expectations } from "./body-checks.ts";
import { FrameDecoder } from "./frame-decoder.ts";

export type FramedPayload = Extract<
  PayloadMode,
  { readonly kind: "chunks-signed" | "chunks-unsigned" }
>;

const TRAILER_SIGNATURE = "x-amz-trailer-signature";

/**
 * Takes an `aws-chunked` body apart and proves it: the signature of each frame at its end, the trailers' signature,
 * and that the trailers are the declared ones. The content itself is proven by `BodyChecks`.
 */
export class FramedBody {
  readonly #decoder: FrameDecoder;
  readonly #checks: BodyChecks;
  readonly #expectations: Expectations;
  readonly #hashes: Hashes;
  readonly #signer: ChunkSigner | undefined;
  readonly #isTrailerSigned: boolean;
  readonly #trailers = new Map<string, string>();
  #data: Uint8Array[] = [];
  #announcedBytes = 0;
  #frameHasher: Hasher | undefined;
  #frameSignature = "";

  constructor(
    payload: FramedPayload,
    expectations: Expectations,
    checks: BodyChecks,
    hashes: Hashes,
  ) {
    this.#checks = checks;
    this.#expectations = expectations;
    this.#hashes = hashes;
    this.#signer = payload.kind === "chunks-signed" ? payload.signer : undefined;
    this.#isTrailerSigned = payload.kind === "chunks-signed" && payload.hasTrailer;
    if (!payload.hasTrailer && expectations.trailerNames.length > 0) {
      throw new S3Error("MalformedTrailerError", "x-amz-trailer is set, the body has no trailer");
    }
    this.#decoder = new FrameDecoder(
      {
        onFrame: (sizeBytes, signatureHex) => this.#onFrame(sizeBytes, signatureHex),
        onData: (data) => {
          this.#frameHasher?.update(data);
          this.#data.push(data);
        },
        onFrameEnd: () => this.#onFrameEnd(),
        onTrailer: (name, value) => this.#onTrailer(name, value),
        onEnd: () => this.#onEnd(),
      },
      this.#signer === undefined ? "unsigned" : "signed",
    );
  }

  /** Decoded bytes in `bytes`, as views into it; not seen by the content checks yet. */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    this.#data = [];
    this.#decoder.push(bytes);
    return this.#data;
  }

  /** Call when the source has ended and all data went through the content checks. Throws `S3Error`. */
  finish(): void {
    this.#decoder.finish();
    this.#checks.finish(this.#trailers);
  }

  #onFrame(sizeBytes: number, signatureHex: string | undefined): void {
    this.#announcedBytes += sizeBytes;
    const expected = this.#expectations.sizeBytes;
    if (expected !== undefined && this.#announcedBytes > expected) {
      throw new S3Error("IncompleteBody", "The chunks are longer than the announced length");
    }
    if (this.#signer === undefined) return;
    this.#frameHasher = this.#hashes.create("sha256");
    this.#frameSignature = signatureHex ?? "";
  }

  #onFrameEnd(): void {
    if (this.#signer === undefined || this.#frameHasher === undefined) return;
    const sha256 = this.#frameHasher.digest();
    this.#frameHasher = undefined;
    if (!this.#signer.acceptChunk(sha256, this.#frameSignature)) {
      throw new S3Error("SignatureDoesNotMatch", "The signature of a chunk does not match");
    }
  }

  #onTrailer(name: string, value: string): void {
    const isDeclared =
      this.#expectations.trailerNames.includes(name) ||
      (name === TRAILER_SIGNATURE && this.#isTrailerSigned);
    // The signature comes last: nothing may follow what it covers.
    if (!isDeclared || this.#trailers.has(name) || this.#trailers.has(TRAILER_SIGNATURE)) {
      throw new S3Error("MalformedTrailerError", "The trailers are not the declared ones");
    }
    this.#trailers.set(name, value);
  }

  #onEnd(): void {
    if (this.#signer === undefined || !this.#isTrailerSigned) return;
    const signatureHex = this.#trailers.get(TRAILER_SIGNATURE);
    if (signatureHex === undefined) {
      throw new S3Error("MalformedTrailerError", "The trailers are not signed");
    }
    let lines = "";
    for (const [name, value] of this.#trailers) {
      if (name !== TRAILER_SIGNATURE) lines += `${name}:${value}\n`;
    }
    const sha256 = this.#hashes.digest("sha256", lines);
    if (!this.#signer.acceptTrailer(sha256, signatureHex)) {
      throw new S3Error("SignatureDoesNotMatch", "The signature of the trailer does not match");
    }
  }
}
