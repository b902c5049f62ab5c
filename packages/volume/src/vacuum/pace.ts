import { type Clock, assert } from "@kelp/base";
import { PACE_BURST_MS } from "../limits.ts";

/**
 * Holds a background job to a rate, so that it leaves the disk to those who wait for it. Bytes that were not used while the
 * job waited for something else are lost, but for `PACE_BURST_MS` worth of them: a job that was held up does not catch up
 * in one rush.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #bytesPerSec: number;
  readonly #signal: AbortSignal | undefined;
  /** When all that was spent is paid for. */
  #paidMs: number;

  /** `bytesPerSec` may be infinite: then it only looks at the signal. */
  constructor(
    clock: Clock,
    options: { readonly bytesPerSec: number; readonly signal?: AbortSignal | undefined },
  ) {
    assert(options.bytesPerSec > 0, "a pace lets something pass");
    this.#clock = clock;
    this.#bytesPerSec = options.bytesPerSec;
    this.#signal = options.signal;
    this.#paidMs = clock.monotonicMs();
  }

  /** Counts bytes that were read or written; waits when the job is ahead. Rejects with the signal's reason once aborted. */
  async spend(bytes: number): Promise<void> {
    this.#signal?.throwIfAborted();
    const nowMs = this.#clock.monotonicMs();
    const startMs = Math.max(this.#paidMs, nowMs - PACE_BURST_MS);
    this.#paidMs = startMs + (bytes * 1000) / this.#bytesPerSec;
    const aheadMs = this.#paidMs - nowMs;
    // Timers are coarse: many small debts are paid with one sleep.
    if (aheadMs >= PACE_BURST_MS) await this.#clock.sleep(aheadMs, this.#signal);
  }
}
