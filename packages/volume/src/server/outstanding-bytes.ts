import { Semaphore } from "@kelp/base";
import { DOWNLOAD_BUDGET_BYTES, FREE_NEEDLE_BYTES_MAX, READS_AT_ONCE_MAX } from "./limits.ts";

/**
 * Bounds the memory of needles on their way out. What a needle weighs is known only once it is read, so reads are
 * let in while what is held is below the budget, a bounded number at a time.
 */
export class OutstandingBytes {
  readonly #reads = new Semaphore(READS_AT_ONCE_MAX);
  readonly #waiting: (() => void)[] = [];
  #heldBytes = 0;

  async read<Value>(run: () => Promise<Value>): Promise<Value> {
    using _permit = this.#reads.tryAcquire() ?? (await this.#reads.acquire());
    // Those who wait hold a place among the readers, so there are never more of them than places.
    while (this.#heldBytes >= DOWNLOAD_BUDGET_BYTES) {
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    return run();
  }

  /** Counts bytes until the returned function is called; calling it again is harmless. `undefined` for what is too small to count. */
  hold(sizeBytes: number): (() => void) | undefined {
    if (sizeBytes <= FREE_NEEDLE_BYTES_MAX) return undefined;
    this.#heldBytes += sizeBytes;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#heldBytes -= sizeBytes;
      for (const wake of this.#waiting.splice(0)) wake();
    };
  }
}
