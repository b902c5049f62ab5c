import { expect, test } from "bun:test";
import { Foreground } from "./foreground.ts";

function steppingClock(): { monotonicMs(): number; nowMs: number } {
  return {
    nowMs: 0,
    monotonicMs() {
      return this.nowMs;
    },
  };
}

test("nobody waits before the first request", () => {
  expect(new Foreground(steppingClock()).isBusy).toBe(false);
});

test("a request keeps the process busy however long it takes, and a moment longer", () => {
  const clock = steppingClock();
  const foreground = new Foreground(clock);
  foreground.enter();
  foreground.enter();
  foreground.leave();
  clock.nowMs = 60_000;
  expect(foreground.isBusy).toBe(true);
  foreground.leave();
  clock.nowMs += 99;
  expect(foreground.isBusy).toBe(true);
  clock.nowMs += 1;
  expect(foreground.isBusy).toBe(false);
});

test("what another process serves counts for a moment", () => {
  const clock = steppingClock();
  const foreground = new Foreground(clock);
  foreground.touch();
  expect(foreground.isBusy).toBe(true);
  clock.nowMs += 100;
  expect(foreground.isBusy).toBe(false);
});

test("more requests cannot leave than came", () => {
  const foreground = new Foreground(steppingClock());
  expect(() => foreground.leave()).toThrow("a request that leaves has come");
});
