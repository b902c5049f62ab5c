import type { Clock, Timer } from "@kelp/base";

/** A clock that only moves when it is told to, or when somebody waits for it: waiting takes no time of the machine's. */
export class SimulatedClock implements Clock {
  #nowMs: number;
  /** What time it was at which moment of the disk, ascending. */
  readonly #marks: { readonly moment: number; nowMs: number }[] = [];
  #moment: () => number = () => 0;

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  /** From now on the moments of a disk are noted beside the time. */
  follow(moment: () => number): void {
    this.#moment = moment;
  }

  /** The time that nothing done before the moment saw pass. */
  nowMsAt(moment: number): number {
    return this.#marks.findLast((mark) => mark.moment <= moment)?.nowMs ?? this.#nowMs;
  }

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
    const [moment, last] = [this.#moment(), this.#marks.at(-1)];
    if (last?.moment === moment) last.nowMs = this.#nowMs;
    else this.#marks.push({ moment, nowMs: this.#nowMs });
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
