import type { Log } from "@kelp/base";

/** Owner of work that nobody waits for at once. Its size is bounded by steps and runs in flight. */
export class Background {
  readonly #log: Log;
  readonly #work = new Set<Promise<void>>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes over a promise; its failure is logged. */
  own(work: Promise<void>): void {
    const owned = work
      .catch((error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#log.error("background work failed", { error: text });
      })
      .finally(() => this.#work.delete(owned));
    this.#work.add(owned);
  }

  /** Resolves when nothing is left or `signal` aborts. */
  async settled(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const give = (): void => aborted.resolve();
    signal.addEventListener("abort", give, { once: true });
    while (this.#work.size > 0 && !signal.aborted) {
      await Promise.race([Promise.allSettled(this.#work), aborted.promise]);
    }
    signal.removeEventListener("abort", give);
  }
}
