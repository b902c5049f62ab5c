import type { IncomingMessage } from "node:http";
import type { ByteStream } from "../body.ts";
import { EMPTY_BYTES, joinBytes } from "../bytes.ts";
import type { Permit, Semaphore } from "../semaphore.ts";
import { HttpError } from "./http-error.ts";
import { BODY_STEP_BYTES, FREE_BODY_BYTES_MAX } from "./limits.ts";
import type { HeldShare, StallWatch } from "./stall-watch.ts";

/** A body in memory, with its share of the budget until disposed. */
export interface HeldBytes extends Disposable {
  readonly bytes: Uint8Array;
}

/** The body of one request. It is read once, either whole or as a stream. */
export class RequestBody {
  readonly #incoming: IncomingMessage;
  readonly #stalls: StallWatch;
  readonly #owed: { send(): void } | undefined;

  /** `owed` is sent before the first read: the client waits for it. */
  constructor(incoming: IncomingMessage, stalls: StallWatch, owed: { send(): void } | undefined) {
    this.#incoming = incoming;
    this.#stalls = stalls;
    this.#owed = owed;
  }

  /** As announced; `undefined` for a body of unknown length. */
  get lengthBytes(): number | undefined {
    const text = this.#incoming.headers["content-length"];
    if (text !== undefined) return Number(text);
    return this.isPresent ? undefined : 0;
  }

  get isPresent(): boolean {
    const { headers } = this.#incoming;
    const length = headers["content-length"];
    return (length !== undefined && length !== "0") || headers["transfer-encoding"] !== undefined;
  }

  /** Its pieces are lent. Throws `HttpError` 413 beyond the limit, 400 when the client hangs up before the end, 408 when it stalls. */
  async *stream(limitBytes: number): ByteStream {
    this.#checkLength(limitBytes);
    if (!this.isPresent) return;
    const incoming = this.#incoming;
    // Whoever iterates is woken by it; the connection stays for the answer.
    using transfer = this.#stalls.watch(() => incoming.emit("error", tooSlow()));
    this.#owed?.send();
    let sizeBytes = 0;
    try {
      // The socket still has to carry the answer, so that leaving early must not destroy it.
      for await (const piece of incoming.iterator({ destroyOnReturn: false })) {
        sizeBytes += piece.length;
        if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
        transfer.moved(piece.length);
        transfer.setWaiting("on-us");
        yield piece;
        freePiece(piece);
        transfer.setWaiting("on-client");
      }
    } catch (cause) {
      if (cause instanceof HttpError) throw cause;
      throw bodyCut(cause);
    }
    if (!incoming.complete) throw bodyCut(undefined);
  }

  /**
   * The whole body. A body of known length waits for its share of `budget`, one of unknown length takes as it comes
   * and is refused with 503 when there is no more: two that wait for each other's share would wait for ever.
   * One that comes too slowly is refused, the sooner when others wait for the budget. Throws `HttpError` 413, 400, 408, 503.
   */
  async whole(limitBytes: number, budget: Semaphore): Promise<HeldBytes> {
    this.#checkLength(limitBytes);
    if (!this.isPresent) return { bytes: EMPTY_BYTES, [Symbol.dispose]: nothing };
    const { lengthBytes } = this;
    if (lengthBytes !== undefined && lengthBytes <= FREE_BODY_BYTES_MAX) {
      const bytes = await this.#gather(limitBytes, { grow: nothing, share: undefined });
      return { bytes, [Symbol.dispose]: nothing };
    }
    const permits: Permit[] = [];
    const release = (): void => {
      for (const permit of permits) permit[Symbol.dispose]();
    };
    try {
      if (lengthBytes !== undefined) permits.push(await budget.acquire(lengthBytes));
      const grow = lengthBytes === undefined ? growing(budget, permits) : nothing;
      const share = { sizeBytes: lengthBytes ?? limitBytes, isWanted: () => budget.isWanted };
      const bytes = await this.#gather(limitBytes, { grow, share });
      return { bytes, [Symbol.dispose]: release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** `grow` is told the size before a piece is kept; it throws to refuse. */
  #gather(
    limitBytes: number,
    {
      grow,
      share,
    }: {
      readonly grow: (sizeBytes: number) => void;
      readonly share: HeldShare | undefined;
    },
  ): Promise<Uint8Array> {
    const incoming = this.#incoming;
    // Whoever hung up before this is listened to has no event left to say so: waiting for one would never end.
    if (incoming.destroyed) return Promise.reject(bodyCut(undefined));
    return new Promise<Uint8Array>((resolve, reject) => {
      const pieces: Uint8Array[] = [];
      let sizeBytes = 0;
      let isSettled = false;
      const transfer = this.#stalls.watch(() => {
        settle();
        incoming.pause();
        reject(tooSlow());
      }, share);
      // The listeners end with the request: taking each off costs more than letting it find this.
      const settle = (): void => {
        isSettled = true;
        transfer[Symbol.dispose]();
      };
      const onData = (piece: Uint8Array): void => {
        if (isSettled) return;
        sizeBytes += piece.length;
        transfer.moved(piece.length);
        try {
          if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
          grow(sizeBytes);
          pieces.push(piece);
        } catch (error) {
          settle();
          incoming.pause();
          reject(error);
        }
      };
      const onEnd = (): void => {
        if (isSettled) return;
        settle();
        resolve(joinBytes(pieces));
      };
      const onGone = (cause?: unknown): void => {
        if (isSettled) return;
        settle();
        reject(bodyCut(cause));
      };
      incoming.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
      this.#owed?.send();
    });
  }

  #checkLength(limitBytes: number): void {
    const { lengthBytes } = this;
    if (lengthBytes !== undefined && !(lengthBytes <= limitBytes)) throw tooLarge(limitBytes);
  }
}

/** Pieces below this may lie in memory that others share, and are not worth a call. */
const FREED_PIECE_BYTES_MIN = 64 * 1024;

/** Gives the memory of a piece back now: sockets make fresh memory for each, and the collector waits long. */
function freePiece(piece: Uint8Array): void {
  const { buffer } = piece;
  if (piece.length < FREED_PIECE_BYTES_MIN || piece.length !== buffer.byteLength) return;
  // What was moved elsewhere leaves its first place empty: here nothing is moved on.
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

function growing(budget: Semaphore, permits: Permit[]): (sizeBytes: number) => void {
  let takenBytes = 0;
  return (sizeBytes) => {
    while (sizeBytes > takenBytes) {
      const permit = budget.tryAcquire(BODY_STEP_BYTES);
      if (permit === undefined) {
        throw new HttpError(503, "Too many bodies are being received: come back later", {
          headers: { "Retry-After": "1" },
        });
      }
      permits.push(permit);
      takenBytes += BODY_STEP_BYTES;
    }
  };
}

function tooLarge(limitBytes: number): HttpError {
  return new HttpError(413, `The body is larger than ${limitBytes} bytes`);
}

function tooSlow(): HttpError {
  return new HttpError(408, "The body came too slowly", { headers: { Connection: "close" } });
}

function bodyCut(cause: unknown): HttpError {
  return new HttpError(400, "The body ended before its announced end", { cause });
}

function nothing(): void {
  // Nothing is held, or to be asked.
}
