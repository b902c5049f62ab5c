import { expect, test } from "bun:test";
import { CacheAllowance } from "./cache-allowance.ts";

const MIB = 1024 * 1024;

test("a burst goes through the cache, what follows on it does not, and time gives some back", () => {
  let nowMs = 5;
  const allowance = new CacheAllowance(() => nowMs);
  expect(allowance.take(200 * MIB)).toBe(true);
  expect(allowance.take(56 * MIB)).toBe(true);
  expect(allowance.take(1)).toBe(false);
  nowMs += 1000;
  expect(allowance.take(26 * MIB)).toBe(false);
  expect(allowance.take(25 * MIB)).toBe(true);
  expect(allowance.take(1)).toBe(false);
});

test("time gives back no more than a burst", () => {
  let nowMs = 0;
  const allowance = new CacheAllowance(() => nowMs);
  nowMs = 1e9;
  expect(allowance.take(257 * MIB)).toBe(false);
  expect(allowance.take(256 * MIB)).toBe(true);
});
