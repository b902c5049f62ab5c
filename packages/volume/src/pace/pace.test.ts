import { expect, test } from "bun:test";
import type { ForegroundLoad } from "@kelp/base";
import { sleepingClock } from "@kelp/base/testing";
import { JOB_REST_FACTOR, JOB_REST_MS_MAX, JOB_SLICE_MS, PACE_BURST_MS } from "../limits.ts";
import { Pace, pauseAfter } from "./pace.ts";

const UNHELD = { bytesPerSec: Number.POSITIVE_INFINITY };
const HEAVY = { load: "heavy" } as const;

test("a job goes on within its slice, gives up the thread after it, and rests as the load asks", () => {
  const within = { workedMs: JOB_SLICE_MS / 2, aheadMs: 0 };
  expect(pauseAfter({ ...within, load: "none" })).toBeUndefined();
  expect(pauseAfter({ ...within, load: "heavy" })).toBeUndefined();
  const after = { workedMs: JOB_SLICE_MS, aheadMs: 0 };
  expect(pauseAfter({ ...after, load: "none" })).toBe(0);
  expect(pauseAfter({ ...after, load: "light" })).toBe(JOB_SLICE_MS * JOB_REST_FACTOR.light);
  expect(pauseAfter({ ...after, load: "heavy" })).toBe(JOB_SLICE_MS * JOB_REST_FACTOR.heavy);
});

test("a rest is bounded: whatever load there is, a job comes to its end", () => {
  expect(pauseAfter({ workedMs: 10_000, aheadMs: 0, load: "heavy" })).toBe(JOB_REST_MS_MAX);
});

test("a debt to the rate is paid whether or not somebody is served, and a rest pays for it, too", () => {
  const ahead = { workedMs: 0, aheadMs: PACE_BURST_MS };
  expect(pauseAfter({ ...ahead, load: "none" })).toBe(PACE_BURST_MS);
  expect(pauseAfter({ ...ahead, aheadMs: PACE_BURST_MS - 1, load: "none" })).toBeUndefined();
  const long = { workedMs: 1, aheadMs: JOB_REST_MS_MAX * 2, load: "heavy" } as const;
  expect(pauseAfter(long)).toBe(JOB_REST_MS_MAX * 2);
  const rest = { workedMs: JOB_SLICE_MS, aheadMs: PACE_BURST_MS, load: "heavy" } as const;
  expect(pauseAfter(rest)).toBe(JOB_SLICE_MS * JOB_REST_FACTOR.heavy);
});

test("under load a job has its share of the thread and no more", async () => {
  const clock = sleepingClock();
  const pace = new Pace({ clock, foreground: HEAVY }, UNHELD);
  for (let piece = 0; piece < 90; piece++) {
    clock.advance(1);
    await pace.spend(1);
  }
  const workedMs = 90;
  const restedMs = clock.slept.reduce((sum, ms) => sum + ms, 0);
  expect(restedMs).toBe(workedMs * JOB_REST_FACTOR.heavy);
});

test("what a job waited for others is no work that it rests from", async () => {
  const clock = sleepingClock();
  const pace = new Pace({ clock, foreground: HEAVY }, UNHELD);
  clock.advance(JOB_SLICE_MS / 2);
  clock.advance(10_000);
  pace.waited(10_000);
  await pace.spend(0);
  expect(clock.slept).toEqual([]);
  clock.advance(JOB_SLICE_MS / 2);
  await pace.spend(0);
  expect(clock.slept).toEqual([JOB_SLICE_MS * JOB_REST_FACTOR.heavy]);
});

test("with nobody there a job only lets others have the thread", async () => {
  const clock = sleepingClock();
  const pace = new Pace({ clock, foreground: { load: "none" } }, UNHELD);
  for (let piece = 0; piece < 4; piece++) {
    clock.advance(1);
    await pace.spend(1_000_000);
  }
  expect(clock.slept).toEqual([0, 0, 0, 0]);
});

test("a job that somebody waits for takes no rest", async () => {
  const clock = sleepingClock();
  const pace = new Pace({ clock, foreground: HEAVY }, { ...UNHELD, rests: "short" });
  clock.advance(JOB_SLICE_MS);
  await pace.spend(1);
  expect(clock.slept).toEqual([0]);
});

test("what is opened while nobody is served is not held up at all", async () => {
  const foreground: { load: ForegroundLoad } = { load: "none" };
  const clock = sleepingClock();
  const pace = new Pace({ clock, foreground }, { ...UNHELD, rests: "if-busy" });
  clock.advance(JOB_SLICE_MS);
  await pace.spend(0);
  expect(clock.slept).toEqual([]);
  foreground.load = "light";
  await pace.spend(0);
  expect(clock.slept).toEqual([JOB_SLICE_MS * JOB_REST_FACTOR.light]);
});

test("bytes pass at their rate, and a job that was held up does not catch up in a rush", async () => {
  const clock = sleepingClock();
  const pace = new Pace({ clock }, { bytesPerSec: 1000 });
  await pace.spend(10);
  await pace.spend(490);
  expect(clock.slept).toEqual([500]);
  clock.advance(5000);
  await pace.spend(1000);
  expect(clock.slept.at(-1)).toBe(1000 - PACE_BURST_MS);
});

test("an aborted job ends at its next piece", () => {
  const stop = new AbortController();
  const pace = new Pace({ clock: sleepingClock() }, { ...UNHELD, signal: stop.signal });
  stop.abort(new Error("stopped"));
  expect(pace.spend(1)).rejects.toThrow("stopped");
});
