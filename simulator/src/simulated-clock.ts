import type { Clock, Timer } from "@kelp/base";

/** A clock that only moves when it is told to, or when somebody waits for it: waiting takes no time of the machine's. */
export class SimulatedClock implements Clock {
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
    this.#nowMs += Math.ceil(byMs);
  }

  schedule(delayMs: number, run: () => void): Timer {
    let isCancelled = false;
    setImmediate(() => {
      if (isCancelled) return;
      this.advance(delayMs);
      run();
    });
    return { cancel: () => void (isCancelled = true) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.schedule(delayMs, () => {
        if (signal?.aborted) reject(signal.reason);
        else resolve();
      });
    });
  }
}
