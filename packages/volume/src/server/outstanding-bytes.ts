import { Semaphore } from "@kelp/base";
import {
  DOWNLOAD_BUDGET_BYTES,
  EXPANSIONS_AT_ONCE_MAX,
  FREE_NEEDLE_BYTES_MAX,
  READS_AT_ONCE_MAX,
} from "./limits.ts";

/**
 * Bounds the memory of needles on their way out. What a needle weighs is known only once it is read, so reads are
 * let in while what is held is below the budget, a bounded number at a time.
 */
export class OutstandingBytes {
  readonly #reads = new Semaphore(READS_AT_ONCE_MAX);
  readonly #expansions = new Semaphore(EXPANSIONS_AT_ONCE_MAX);
  readonly #waiting: (() => void)[] = [];
  #heldBytes = 0;

  async read<Value>(run: () => Promise<Value>): Promise<Value> {
    using _permit = this.#reads.tryAcquire() ?? (await this.#reads.acquire());
    await this.#room();
    return await run();
  }

  /**
   * Compressed content becomes as large as whoever stored it wished: it is expanded a few at a time, while there is room,
   * and counts before the next one begins.
   */
  async expand(run: () => Promise<Uint8Array>): Promise<HeldContent> {
    using _permit = await this.#expansions.acquire();
    await this.#room();
    const bytes = await run();
    return { bytes, release: this.hold(bytes.length) };
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

  /** Those who wait hold a place among the readers or the expanding, so there are never more of them than places. */
  async #room(): Promise<void> {
    while (this.#heldBytes >= DOWNLOAD_BUDGET_BYTES) {
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }
}

/** Bytes that count until they are released. */
export interface HeldContent {
  readonly bytes: Uint8Array;
  readonly release: (() => void) | undefined;
}
