import type { ByteStream } from "../body.ts";
import { EMPTY_BYTES } from "../bytes.ts";
import type { IncomingBody } from "../http1/index.ts";
import type { Permit, Semaphore } from "../semaphore.ts";
import { HttpError } from "./http-error.ts";
import { BODY_STEP_BYTES, FREE_BODY_BYTES_MAX } from "./limits.ts";
import { type ReceiveOptions, receiveStream, receiveWhole } from "./receive-body.ts";
import type { StallWatch } from "./stall-watch.ts";

/** A body in memory, with its share of the budget until disposed. */
export interface HeldBytes extends Disposable {
  readonly bytes: Uint8Array;
}

/** The body of one request. It is read once, either whole or as a stream; a client that waits for it is then told to go on. */
export class RequestBody {
  readonly #incoming: IncomingBody;
  readonly #stalls: StallWatch;

  constructor(incoming: IncomingBody, stalls: StallWatch) {
    this.#incoming = incoming;
    this.#stalls = stalls;
  }

  /** As announced; `undefined` for a body of unknown length. */
  get lengthBytes(): number | undefined {
    return this.#incoming.lengthBytes;
  }

  get isPresent(): boolean {
    return this.#incoming.lengthBytes !== 0;
  }

  /** Its pieces are lent. Throws `HttpError` 413 beyond the limit, 400 when the client hangs up before the end, 408 when it stalls. */
  async *stream(limitBytes: number): ByteStream {
    this.#checkLength(limitBytes);
    if (this.isPresent) yield* receiveStream(this.#incoming, this.#options(limitBytes));
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
    const options = this.#options(limitBytes);
    if (lengthBytes !== undefined && lengthBytes <= FREE_BODY_BYTES_MAX) {
      const bytes = await receiveWhole(this.#incoming, options);
      return { bytes, [Symbol.dispose]: nothing };
    }
    const permits: Permit[] = [];
    const release = (): void => {
      for (const permit of permits) permit[Symbol.dispose]();
    };
    try {
      if (lengthBytes !== undefined) permits.push(await budget.acquire(lengthBytes));
      const grow = lengthBytes === undefined ? growing(budget, permits) : undefined;
      const share = { sizeBytes: lengthBytes ?? limitBytes, isWanted: () => budget.isWanted };
      const bytes = await receiveWhole(this.#incoming, { ...options, grow, share });
      return { bytes, [Symbol.dispose]: release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #checkLength(limitBytes: number): void {
    const { lengthBytes } = this;
    if (lengthBytes !== undefined && !(lengthBytes <= limitBytes)) throw tooLarge(limitBytes);
  }

  #options(limitBytes: number): ReceiveOptions {
    const errors = { tooLarge: () => tooLarge(limitBytes), tooSlow, cut: bodyCut };
    return { limitBytes, stalls: this.#stalls, errors };
  }
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
  // Nothing is held.
}
