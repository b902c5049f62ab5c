import { expect, test } from "bun:test";
import { UnwrittenParts } from "./unwritten-parts.ts";

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);

test("what is skipped is not given again, within parts and across them", () => {
  const parts = new UnwrittenParts([bytes(1, 2), bytes(), bytes(3), bytes(4, 5, 6)]);
  expect(parts.leftBytes).toBe(6);
  parts.skip(1);
  expect(parts.first(3)).toEqual([bytes(2), bytes(), bytes(3), bytes(4)]);
  parts.skip(2);
  expect(parts.leftBytes).toBe(3);
  expect(parts.first(100)).toEqual([bytes(4, 5, 6)]);
  parts.skip(3);
  expect(parts.leftBytes).toBe(0);
  expect(parts.first(100)).toEqual([]);
});

test("no more parts than one system call takes", () => {
  const parts = new UnwrittenParts(Array.from({ length: 3000 }, () => bytes(7)));
  expect(parts.first(parts.leftBytes)).toHaveLength(1024);
});

test("copying stops at the end of the parts or of the memory", () => {
  const parts = new UnwrittenParts([bytes(1, 2), bytes(3, 4)]);
  const short = new Uint8Array(3);
  expect(parts.copyTo(short)).toBe(3);
  expect(short).toEqual(bytes(1, 2, 3));
  const long = new Uint8Array(6);
  expect(parts.copyTo(long)).toBe(4);
  expect(long).toEqual(bytes(1, 2, 3, 4, 0, 0));
  expect(parts.leftBytes).toBe(4);
});
