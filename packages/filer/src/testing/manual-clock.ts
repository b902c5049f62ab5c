import type { Clock, Timer } from "@kelp/base";

interface Scheduled {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A wall clock that stands still until it is moved; what is due by then runs on the way. */
export class ManualClock implements Clock {
  #nowMs = 1_700_000_000_000;
  readonly #scheduled = new Set<Scheduled>();

  nowMs(): number {
    return this.#nowMs;
  }

  nowNs(): bigint {
    return BigInt(this.#nowMs) * 1_000_000n;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  advance(byMs: number): void {
    this.#nowMs += byMs;
    for (const each of this.#scheduled) {
      if (each.dueMs <= this.#nowMs && this.#scheduled.delete(each)) each.run();
    }
  }

  schedule(delayMs: number, run: () => void): Timer {
    const scheduled = { dueMs: this.#nowMs + delayMs, run };
    this.#scheduled.add(scheduled);
    return { cancel: () => void this.#scheduled.delete(scheduled) };
  }

  sleep(): Promise<never> {
    return Promise.reject(new Error("Cannot sleep: nothing here waits for time to pass"));
  }
}
