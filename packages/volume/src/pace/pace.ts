import { type Clock, type Foreground, type ForegroundLoad, assert } from "@kelp/base";
import { JOB_REST_FACTOR, JOB_REST_MS_MAX, JOB_SLICE_MS, PACE_BURST_MS } from "../limits.ts";

export interface PaceDeps {
  readonly clock: Clock;
  /** Whom the job gives way to. Nobody unless given. */
  readonly foreground?: Pick<Foreground, "load"> | undefined;
}

type Rests = "as-needed" | "short" | "if-busy";

export interface PaceOptions {
  /** May be infinite: then the job is held to no rate. */
  readonly bytesPerSec: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * `short`: somebody waits for the job, so it only gives up the thread and takes no rest. `if-busy`: it does not even do that while
   * nobody is served.
   */
  readonly rests?: Rests;
}

/**
 * Holds a background job to a rate, and has it give way to those who wait for the process.
 *
 * Of the rate, bytes that were not used while the job waited for something else are lost, but for `PACE_BURST_MS` worth of them:
 * a job that was held up does not catch up in one rush. Work is cut into slices of `JOB_SLICE_MS`: after each the thread is given up,
 * and while requests are served the job rests a multiple of the time that it worked (`JOB_REST_FACTOR`). With nobody there it goes on at once.
 */
export class Pace {
  readonly #deps: PaceDeps;
  readonly #bytesPerSec: number;
  readonly #signal: AbortSignal | undefined;
  readonly #rests: Rests;
  /** When all that was spent is paid for. */
  #paidMs: number;
  /** When the job last came back from a pause. */
  #resumedMs: number;

  constructor(deps: PaceDeps, options: PaceOptions) {
    assert(options.bytesPerSec > 0, "a pace lets something pass");
    this.#deps = deps;
    this.#bytesPerSec = options.bytesPerSec;
    this.#signal = options.signal;
    this.#rests = options.rests ?? "as-needed";
    this.#paidMs = deps.clock.monotonicMs();
    this.#resumedMs = this.#paidMs;
  }

  /** The job waited for so long, for whoever takes what it gives: that was no work of its own. */
  waited(ms: number): void {
    this.#resumedMs += ms;
  }

  /**
   * Counts bytes that were read or written, 0 for work that is none of both; waits when the job is ahead or its slice is used up.
   * Callers must call it at least every `JOB_SLICE_MS` or so of work on the thread. Rejects with the signal's reason once aborted.
   */
  async spend(bytes: number): Promise<void> {
    this.#signal?.throwIfAborted();
    const { clock, foreground } = this.#deps;
    const nowMs = clock.monotonicMs();
    const startMs = Math.max(this.#paidMs, nowMs - PACE_BURST_MS);
    this.#paidMs = startMs + (bytes * 1000) / this.#bytesPerSec;
    const pauseMs = pauseAfter({
      workedMs: nowMs - this.#resumedMs,
      aheadMs: this.#paidMs - nowMs,
      load: this.#rests === "short" ? "none" : (foreground?.load ?? "none"),
    });
    if (pauseMs === undefined || (pauseMs === 0 && this.#rests === "if-busy")) return;
    await clock.sleep(pauseMs, this.#signal);
    this.#resumedMs = clock.monotonicMs();
  }
}

/**
 * How long a job pauses that worked for `workedMs` since its last pause and is `aheadMs` ahead of its rate; 0 to let others have the
 * thread, `undefined` to go on. A rest also pays for the rate.
 */
export function pauseAfter(state: {
  readonly workedMs: number;
  readonly aheadMs: number;
  readonly load: ForegroundLoad;
}): number | undefined {
  const { workedMs, aheadMs, load } = state;
  // Timers are coarse: many small debts are paid with one sleep.
  const owedMs = aheadMs >= PACE_BURST_MS ? aheadMs : 0;
  if (owedMs === 0 && workedMs < JOB_SLICE_MS) return undefined;
  if (load === "none") return owedMs;
  return Math.max(owedMs, Math.min(workedMs * JOB_REST_FACTOR[load], JOB_REST_MS_MAX));
}
