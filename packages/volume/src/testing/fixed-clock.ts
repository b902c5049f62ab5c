import type { Clock } from "@kelp/base";

/** A clock that stands still until the test moves it. Timers never fire. */
export function clockAt(ms: number): Clock & { ms: number } {
  const clock = {
    ms,
    nowMs: () => clock.ms,
    nowNs: () => BigInt(clock.ms) * 1_000_000n,
    monotonicMs: () => clock.ms,
    schedule: () => ({ cancel: () => undefined }),
    sleep: async () => undefined,
  };
  return clock;
}
