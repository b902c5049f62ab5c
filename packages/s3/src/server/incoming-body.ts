import type { StallWatch, Transfer } from "@kelp/base/http";
import type { IncomingMessage } from "node:http";
import { type ByteStream, EMPTY_BYTES, type Hashes, type Semaphore, joinBytes } from "@kelp/base";
import type { OpenBody, OpenDocument, RequestBody } from "../operations/operation.ts";
import { decodeBody, decodeWhole } from "../body/index.ts";
import { DOCUMENT_BYTES_MAX, WHOLE_BODY_BYTES_MAX } from "../limits.ts";
import type { S3Caller } from "../auth/index.ts";
import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";

/** What reading a body needs of its server. */
export interface BodyOptions {
  readonly hashes: Hashes;
  readonly stalls: StallWatch;
  /** Bounds `DOCUMENTS_AT_ONCE_MAX`. */
  readonly documents: Semaphore;
  /** Sends `100 Continue`; present only when the client waits for it. */
  readonly sendContinue: (() => void) | undefined;
}

/** The body of one request on its socket. */
export class IncomingBody implements RequestBody {
  readonly #incoming: IncomingMessage;
  readonly #request: S3Request;
  readonly #caller: S3Caller;
  readonly #options: BodyOptions;

  constructor(
    incoming: IncomingMessage,
    about: { readonly request: S3Request; readonly caller: S3Caller },
    options: BodyOptions,
  ) {
    this.#incoming = incoming;
    this.#request = about.request;
    this.#caller = about.caller;
    this.#options = options;
  }

  async open(): Promise<OpenBody> {
    const { hashes } = this.#options;
    const lengthBytes = contentLength(this.#incoming);
    if (lengthBytes === undefined || lengthBytes > WHOLE_BODY_BYTES_MAX) {
      const source =
        lengthBytes === undefined && !isChunked(this.#incoming) ? emptyStream() : this.#stream();
      const decoded = decodeBody(this.#request, source, this.#caller, { hashes });
      return { body: decoded.stream, sizeBytes: decoded.sizeBytes, verified: decoded.verified };
    }
    const raw = lengthBytes === 0 ? EMPTY_BYTES : await this.#readWhole(lengthBytes);
    const whole = decodeWhole(this.#request, raw, this.#caller, { hashes });
    return { body: whole.bytes, sizeBytes: whole.bytes.length, verified: () => whole.verified };
  }

  async document(checksumHeaders: "verify" | "ignore" = "verify"): Promise<OpenDocument> {
    const lengthBytes = contentLength(this.#incoming);
    if (lengthBytes === undefined && !isChunked(this.#incoming)) {
      return { bytes: EMPTY_BYTES, verified: [] };
    }
    if (lengthBytes !== undefined && lengthBytes > DOCUMENT_BYTES_MAX) {
      throw new S3Error("MaxMessageLengthExceeded");
    }
    // Small ones are no heavier than small objects and wait for nobody, however slowly others send large ones.
    const isSmall = lengthBytes !== undefined && lengthBytes <= WHOLE_BODY_BYTES_MAX;
    using _permit = isSmall ? undefined : await this.#options.documents.acquire();
    const raw = lengthBytes === 0 ? EMPTY_BYTES : await this.#readWhole(DOCUMENT_BYTES_MAX);
    const { hashes } = this.#options;
    return decodeWhole(this.#request, raw, this.#caller, { hashes, checksumHeaders });
  }

  /** The body as it came, in one buffer. Throws `MaxMessageLengthExceeded` beyond `limitBytes`. */
  #readWhole(limitBytes: number): Promise<Uint8Array> {
    const incoming = this.#incoming;
    // Whoever hung up before this is listened to has no event left to say so: waiting for one would never end.
    if (incoming.destroyed) {
      return Promise.reject(bodyCut(undefined));
    }
    return new Promise<Uint8Array>((resolve, reject) => {
      const pieces: Uint8Array[] = [];
      let sizeBytes = 0;
      const transfer = this.#watch();
      const settle = (): void => {
        transfer[Symbol.dispose]();
        incoming.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      };
      const onData = (piece: Uint8Array): void => {
        sizeBytes += piece.length;
        transfer.moved(piece.length);
        if (sizeBytes <= limitBytes) {
          pieces.push(piece);
          return;
        }
        settle();
        incoming.pause();
        reject(new S3Error("MaxMessageLengthExceeded"));
      };
      const onEnd = (): void => {
        settle();
        resolve(joinBytes(pieces));
      };
      const onGone = (cause?: unknown): void => {
        settle();
        reject(bodyCut(cause));
      };
      incoming.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
      this.#options.sendContinue?.();
    });
  }

  /** Its pieces are lent: whoever asks for the next one has done with the last. */
  async *#stream(): ByteStream {
    const incoming = this.#incoming;
    using transfer = this.#watch();
    this.#options.sendContinue?.();
    try {
      // The socket still has to carry the answer, so that leaving early must not destroy it.
      for await (const piece of incoming.iterator({ destroyOnReturn: false })) {
        transfer.moved(piece.length);
        transfer.setWaiting("on-us");
        yield piece;
        freePiece(piece);
        transfer.setWaiting("on-client");
      }
    } catch (cause) {
      throw bodyCut(cause);
    }
    if (!incoming.complete) throw bodyCut(undefined);
  }

  #watch(): Transfer {
    return this.#options.stalls.watch(() => this.#incoming.destroy());
  }
}

/** Pieces below this may lie in memory that others share, and are not worth a call. */
const FREED_PIECE_BYTES_MIN = 64 * 1024;

/**
 * Gives the memory of a piece back now. A socket makes half a megabyte of fresh memory per piece; left to the collector,
 * which waits until all of it is twice what is in use, 16 uploads hold some 200 MB of dead pieces.
 */
function freePiece(piece: Uint8Array): void {
  const { buffer } = piece;
  if (piece.length < FREED_PIECE_BYTES_MIN || piece.length !== buffer.byteLength) return;
  // What was moved elsewhere leaves its first place empty: here nothing is moved on.
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Whether the request announces a body at all. */
export function hasBody(incoming: IncomingMessage): boolean {
  const length = incoming.headers["content-length"];
  return (length !== undefined && length !== "0") || isChunked(incoming);
}

export function contentLength(incoming: IncomingMessage): number | undefined {
  const text = incoming.headers["content-length"];
  return text === undefined ? undefined : Number(text);
}

function isChunked(incoming: IncomingMessage): boolean {
  return incoming.headers["transfer-encoding"] !== undefined;
}

function bodyCut(cause: unknown): S3Error {
  return new S3Error("IncompleteBody", undefined, { cause });
}

async function* emptyStream(): ByteStream {
  // No bytes: the request has no body.
}
