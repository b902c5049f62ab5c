import { HELD_CHECKS_MAX, STALL_BYTES_MIN, STALL_CHECKS_MAX, STALL_CHECK_MS } from "./limits.ts";
import { expect, test } from "bun:test";
import { StallWatch } from "./stall-watch.ts";
import type { Clock } from "../clock.ts";
import { systemClock } from "../platform/index.ts";

/** A clock whose one pending call runs when the test says so. */
function handClock(): { clock: Clock; tick: () => void; isPending: () => boolean } {
  let pending: (() => void) | undefined;
  const clock: Clock = {
    ...systemClock,
    schedule(delayMs, run) {
      expect(delayMs).toBe(STALL_CHECK_MS);
      pending = run;
      return { cancel: () => (pending = undefined) };
    },
  };
  const tick = (): void => {
    const run = pending;
    pending = undefined;
    run?.();
  };
  return { clock, tick, isPending: () => pending !== undefined };
}

test("a transfer without progress is cut, once, after the agreed number of looks", () => {
  const { clock, tick } = handClock();
  using watch = new StallWatch(clock);
  let cuts = 0;
  watch.watch(() => cuts++);
  for (let look = 1; look < STALL_CHECKS_MAX; look++) tick();
  expect(cuts).toBe(0);
  for (let look = 0; look < 3; look++) tick();
  expect(cuts).toBe(1);
});

test("progress and waiting for the store keep a transfer, trickling does not", () => {
  const { clock, tick } = handClock();
  using watch = new StallWatch(clock);
  const cut: string[] = [];
  const steady = watch.watch(() => cut.push("steady"));
  const trickle = watch.watch(() => cut.push("trickle"));
  const ours = watch.watch(() => cut.push("ours"));
  ours.setWaiting("on-us");
  for (let look = 0; look < STALL_CHECKS_MAX * 2; look++) {
    steady.moved(STALL_BYTES_MIN);
    trickle.moved(1);
    tick();
  }
  expect(cut).toEqual(["trickle"]);
});

test("the timer runs only while there is something to watch", () => {
  const { clock, tick, isPending } = handClock();
  using watch = new StallWatch(clock);
  expect(isPending()).toBe(false);
  const transfer = watch.watch(() => undefined);
  expect(isPending()).toBe(true);
  transfer[Symbol.dispose]();
  tick();
  expect(isPending()).toBe(false);
});

test("a transfer that holds what others wait for owes a part of it at each look", () => {
  const { clock, tick } = handClock();
  using watch = new StallWatch(clock);
  let isWanted = false;
  const cut: string[] = [];
  const share = { sizeBytes: 100 * HELD_CHECKS_MAX * STALL_BYTES_MIN, isWanted: () => isWanted };
  const slow = watch.watch(() => cut.push("slow"), share);
  const quick = watch.watch(() => cut.push("quick"), share);
  const small = watch.watch(() => cut.push("small"), { sizeBytes: 1, isWanted: () => true });
  const looks = (count: number): void => {
    for (let look = 0; look < count; look++) {
      slow.moved(100 * STALL_BYTES_MIN - 1);
      quick.moved(100 * STALL_BYTES_MIN);
      small.moved(STALL_BYTES_MIN);
      tick();
    }
  };
  // Slow alone is no fault.
  looks(2 * HELD_CHECKS_MAX);
  expect(cut).toEqual([]);
  isWanted = true;
  looks(STALL_CHECKS_MAX - 1);
  expect(cut).toEqual([]);
  looks(HELD_CHECKS_MAX);
  expect(cut).toEqual(["slow"]);
});
