import { expect, test } from "bun:test";
import { SizedQueue } from "./sized-queue.ts";

function overflowing(queue: SizedQueue<string>): string[] {
  const taken: string[] = [];
  for (let each = queue.overflow(); each !== undefined; each = queue.overflow()) taken.push(each);
  return taken;
}

test("the oldest go first, as many as are too much, whatever was taken out of the middle or the ends", () => {
  const queue = new SizedQueue<string>(30);
  const links = ["a", "b", "c", "d", "e"].map((path) => queue.add(path, 10));
  const [first, , middle, , last] = links;
  if (first === undefined || middle === undefined || last === undefined) throw new Error("five");
  for (const link of [first, middle, last]) queue.remove(link);
  expect(overflowing(queue)).toEqual([]);
  queue.add("f", 10);
  expect(overflowing(queue)).toEqual([]);
  queue.add("g", 20);
  expect(overflowing(queue)).toEqual(["b", "d"]);
});

test("one that is larger than all goes itself, and takes the others along", () => {
  const queue = new SizedQueue<string>(30);
  queue.add("a", 10);
  queue.add("b", 31);
  expect(overflowing(queue)).toEqual(["a", "b"]);
  queue.add("c", 30);
  expect(overflowing(queue)).toEqual([]);
  queue.clear();
  queue.add("d", 30);
  expect(overflowing(queue)).toEqual([]);
});
