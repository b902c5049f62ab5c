import { expect, test } from "bun:test";
import { sleepingClock } from "@kelp/base/testing";
import { Pace, Rest } from "./pace.ts";

test("work rests as long as it took, its own rest not counted", async () => {
  const clock = sleepingClock();
  const rest = new Rest(clock, new AbortController().signal);
  clock.advance(40);
  await rest.taken();
  clock.advance(7);
  await rest.taken();
  expect(clock.slept).toEqual([40, 7]);
});

test("bytes pass at their rate, and slow work is not held back", async () => {
  const clock = sleepingClock();
  const pace = new Pace(clock, { bytesPerSec: 1000, signal: new AbortController().signal });
  await pace.passed(10);
  await pace.passed(490);
  clock.advance(5000);
  await pace.passed(1000);
  expect(clock.slept).toEqual([500]);
});

test("a rest ends with the signal", () => {
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  const rest = new Rest(sleepingClock(), stop.signal);
  expect(rest.taken()).rejects.toThrow("stopped");
});
