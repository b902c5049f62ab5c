import { expect, test } from "bun:test";
import { formatTtl, parseTtl, ttlSeconds } from "./ttl-text.ts";

test.each([
  ["3m", "3m", 180],
  ["60m", "1h", 3600],
  ["90m", "90m", 5400],
  ["90", "90m", 5400],
  ["24h", "1d", 86_400],
  ["14d", "2w", 1_209_600],
  ["30d", "1M", 2_592_000],
  ["365d", "1y", 31_536_000],
  ["300m", "5h", 18_000],
  ["301m", "5h", 18_000],
  ["255y", "255y", 255 * 31_536_000],
])("%s is kept as %s", (text, kept, seconds) => {
  const ttl = parseTtl(text);
  expect(ttl).toBeDefined();
  if (ttl === undefined) return;
  expect(formatTtl(ttl)).toBe(kept);
  expect(ttlSeconds(ttl)).toBe(seconds);
});

test("nothing is for ever, and what is no lifetime is refused", () => {
  expect(parseTtl("0")).toEqual({ count: 0, unit: "none" });
  expect(parseTtl("0d")).toEqual({ count: 0, unit: "none" });
  for (const bad of ["", "m", "3 m", "-3m", "3s", "3mm", "1.5h", "256y", "9999999m", "3x"]) {
    expect(parseTtl(bad)).toBeUndefined();
  }
});
