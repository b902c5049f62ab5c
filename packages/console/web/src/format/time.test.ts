import { expect, test } from "bun:test";
import { formatAge, formatDuration, parseTime } from "./time.ts";

test("durations use the two largest units and drop an empty second one", () => {
  expect(
    [840, 4200, 59_600, 200_000, 7_500_000, 7_200_000, 97_200_000].map(formatDuration),
  ).toEqual(["840 ms", "4.2 s", "1 min", "3 min 20 s", "2 h 5 min", "2 h", "1 d 3 h"]);
});

test("equal times are less than a second apart, not no time", () => {
  expect(formatDuration(0)).toBe("< 1 s");
});

test("the epoch and broken texts are no time at all", () => {
  expect(parseTime("1970-01-01T00:00:00Z")).toBeUndefined();
  expect(parseTime("soon")).toBeUndefined();
  expect(parseTime(null)).toBeUndefined();
  expect(parseTime("2026-01-01T00:00:00Z")).toBe(Date.UTC(2026, 0, 1));
});

test("ages turn into a date after a week", () => {
  const now = Date.UTC(2026, 0, 20);
  expect(formatAge(now - 5000, now)).toBe("just now");
  expect(formatAge(now - 3 * 3_600_000, now)).toBe("3 h ago");
  expect(formatAge(Date.UTC(2026, 0, 2), now)).toBe("2 Jan 2026");
});
