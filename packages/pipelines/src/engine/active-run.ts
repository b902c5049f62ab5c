import type { Clock, Timer } from "@kelp/base";
import type { RunWalk } from "./run-walk.ts";

/** A run in memory: its walk, what is in flight for it, and what is due. */
export class ActiveRun {
  readonly walk: RunWalk;
  /** Aborts every step of the run. */
  readonly abort = new AbortController();
  /** Attempts in flight. */
  running = 0;
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();

  constructor(walk: RunWalk, clock: Clock) {
    this.walk = walk;
    this.#clock = clock;
  }

  /** Calls `work` after `delayMs`, unless the timers are cancelled first. */
  schedule(delayMs: number, work: () => void): void {
    // Timers of the platform hold 31 bits of milliseconds; longer waits are taken in pieces.
    const pieceMs = Math.min(delayMs, TIMER_MS_MAX);
    const timer = this.#clock.schedule(pieceMs, () => {
      this.#timers.delete(timer);
      if (pieceMs < delayMs) this.schedule(delayMs - pieceMs, work);
      else work();
    });
    this.#timers.add(timer);
  }

  cancelTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}

const TIMER_MS_MAX = 2 ** 31 - 1;
