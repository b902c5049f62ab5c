import type { Clock } from "@kelp/base";

/** A wall clock that stands still until it is moved. It has no timers: the filer sets none. */
export class ManualClock implements Clock {
  #nowMs = 1_700_000_000_000;

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
  }

  schedule(): never {
    throw new Error("Cannot schedule: this clock has no timers");
  }

  sleep(): Promise<never> {
    return Promise.reject(new Error("Cannot sleep: this clock has no timers"));
  }
}
