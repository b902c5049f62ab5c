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
  expect(new Foreground(steppingClock()).load).toBe("none");
});

test("a request is load however long it takes", () => {
  const clock = steppingClock();
  const foreground = new Foreground(clock);
  foreground.enter();
  foreground.enter();
  foreground.leave();
  clock.nowMs = 60_000;
  expect(foreground.load).toBe("light");
  foreground.leave();
  expect(foreground.load).toBe("none");
});

test("a request is remembered for a moment after it ended", () => {
  const clock = steppingClock();
  const foreground = new Foreground(clock);
  foreground.enter();
  foreground.leave();
  clock.nowMs = 199;
  expect(foreground.load).toBe("light");
  clock.nowMs = 199 + 100;
  expect(foreground.load).toBe("none");
});

test("a hundred requests in a second are heavy load, ten are light", () => {
  const clock = steppingClock();
  const loadAt = (everyMs: number): string => {
    const foreground = new Foreground(clock);
    const endMs = clock.nowMs + 1000;
    while (clock.nowMs < endMs) {
      foreground.enter();
      foreground.leave();
      clock.nowMs += everyMs;
    }
    return foreground.load;
  };
  expect([loadAt(100), loadAt(5)]).toEqual(["light", "heavy"]);
});

test("heavy load is over soon after its last request", () => {
  const clock = steppingClock();
  const foreground = new Foreground(clock);
  for (let request = 0; request < 1000; request++) {
    foreground.enter();
    foreground.leave();
  }
  expect(foreground.load).toBe("heavy");
  clock.nowMs += 200;
  expect(foreground.load).toBe("none");
});

test("what other processes serve counts like one's own", () => {
  const clock = steppingClock();
  const foreground = new Foreground(clock);
  foreground.came(500);
  expect([foreground.load, foreground.totalCount]).toEqual(["heavy", 500]);
  clock.nowMs += 300;
  expect(foreground.load).toBe("none");
});

test("more requests cannot leave than came", () => {
  const foreground = new Foreground(steppingClock());
  expect(() => foreground.leave()).toThrow("a request that leaves has come");
});
