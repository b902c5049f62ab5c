import type { Clock } from "@kelp/base";

/** Lets background work take half of the time at most: after each piece of work it rests as long as that took. */
export class Rest {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #startedMs: number;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    this.#startedMs = clock.monotonicMs();
  }

  /** Rejects with the signal's reason when it aborts. */
  async taken(): Promise<void> {
    const workedMs = this.#clock.monotonicMs() - this.#startedMs;
    await this.#clock.sleep(Math.max(1, workedMs), this.#signal);
    this.#startedMs = this.#clock.monotonicMs();
  }
}

/** Holds work that passes bytes to a rate, counted from its beginning. */
export class Pace {
  readonly #clock: Clock;
  readonly #options: { readonly bytesPerSec: number; readonly signal: AbortSignal };
  readonly #startedMs: number;
  #passedBytes = 0;

  constructor(
    clock: Clock,
    options: { readonly bytesPerSec: number; readonly signal: AbortSignal },
  ) {
    this.#clock = clock;
    this.#options = options;
    this.#startedMs = clock.monotonicMs();
  }

  /** `undefined` when the work is not ahead of its rate. */
  passed(sizeBytes: number): Promise<void> | undefined {
    const { bytesPerSec, signal } = this.#options;
    this.#passedBytes += sizeBytes;
    const dueMs = this.#startedMs + (this.#passedBytes * 1000) / bytesPerSec;
    const aheadMs = dueMs - this.#clock.monotonicMs();
    return aheadMs < AHEAD_MS_MIN ? undefined : this.#clock.sleep(aheadMs, signal);
  }
}

/** Shorter sleeps cost more than they keep back. */
const AHEAD_MS_MIN = 20;
