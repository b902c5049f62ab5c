import type { ByteStream } from "@kelp/base";

/** A stream that ends with the signal's reason as soon as it aborts, even while its source is silent. */
export function abortable(stream: ByteStream, signal: AbortSignal | undefined): ByteStream {
  if (signal === undefined) return stream;
  return { [Symbol.asyncIterator]: () => new AbortableIterator(stream, signal) };
}

/**
 * One listener for the life of the stream that rejects the pending piece. (Racing each piece against one long-lived
 * promise would leave a reaction behind per piece.)
 */
class AbortableIterator implements AsyncIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  #rejectPending: ((reason: unknown) => void) | undefined;

  constructor(stream: ByteStream, signal: AbortSignal) {
    this.#source = stream[Symbol.asyncIterator]();
    this.#signal = signal;
    this.#onAbort = () => this.#rejectPending?.(signal.reason);
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      if (this.#signal.aborted) {
        reject(this.#signal.reason);
        return;
      }
      this.#rejectPending = reject;
      const settle = (result: IteratorResult<Uint8Array>): void => {
        if (result.done === true) this.#signal.removeEventListener("abort", this.#onAbort);
        resolve(result);
      };
      this.#source.next().then(settle, reject);
    });
  }

  /** Tells the source without waiting for it: a silent source would never answer. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#source.return?.().then(ignoreOutcome, ignoreOutcome);
    return Promise.resolve({ done: true, value: undefined });
  }
}

/** The consumer has left; how its source ends concerns nobody any more. */
function ignoreOutcome(): void {
  // Deliberately empty.
}
