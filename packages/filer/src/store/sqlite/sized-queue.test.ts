import { expect, test } from "bun:test";
import type { HotEntry } from "./hot-entries.ts";
import { SizedQueue } from "./sized-queue.ts";

function entry(path: string): HotEntry {
  return { row: { path } } as HotEntry;
}

function overflowing(queue: SizedQueue): string[] {
  const paths: string[] = [];
  for (let hot = queue.overflow(); hot !== undefined; hot = queue.overflow()) {
    paths.push(hot.row.path);
  }
  return paths;
}

test("the oldest go first, as many as are too much, whatever was taken out of the middle or the ends", () => {
  const queue = new SizedQueue(30);
  const links = ["a", "b", "c", "d", "e"].map((path) => queue.add(entry(path), 10));
  const [first, , middle, , last] = links;
  if (first === undefined || middle === undefined || last === undefined) throw new Error("five");
  for (const link of [first, middle, last]) queue.remove(link);
  expect(overflowing(queue)).toEqual([]);
  queue.add(entry("f"), 10);
  expect(overflowing(queue)).toEqual([]);
  queue.add(entry("g"), 20);
  expect(overflowing(queue)).toEqual(["b", "d"]);
});

test("one that is larger than all goes itself, and takes the others along", () => {
  const queue = new SizedQueue(30);
  queue.add(entry("a"), 10);
  queue.add(entry("b"), 31);
  expect(overflowing(queue)).toEqual(["a", "b"]);
  queue.add(entry("c"), 30);
  expect(overflowing(queue)).toEqual([]);
  queue.clear();
  queue.add(entry("d"), 30);
  expect(overflowing(queue)).toEqual([]);
});
