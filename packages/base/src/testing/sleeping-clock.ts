import type { Clock } from "../clock.ts";

/** A clock that sleeps by moving on, and says how long. */
export function sleepingClock(): Clock & { readonly slept: number[]; advance(ms: number): void } {
  let nowMs = 1000;
  const slept: number[] = [];
  return {
    slept,
    nowMs: () => nowMs,
    nowNs: () => BigInt(nowMs) * 1_000_000n,
    monotonicMs: () => nowMs,
    advance(ms) {
      nowMs += ms;
    },
    schedule: () => ({ cancel: () => undefined }),
    sleep(ms, signal) {
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      slept.push(ms);
      nowMs += ms;
      return Promise.resolve();
    },
  };
}
