import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { AssertionError } from "../assert.ts";
import { PlainReader } from "./plain-reader.ts";
import { PlainWriter } from "./plain-writer.ts";
import { DEPTH_MAX, SHAPES_MAX, SHAPE_KEYS_MAX } from "./tags.ts";

/** Writes frames for one reader, and gives what that reads. */
function pair(): (...values: unknown[]) => unknown[] {
  const writer = new PlainWriter();
  const reader = new PlainReader();
  return (...values) => {
    writer.write(...values);
    reader.begin(Buffer.from(writer.borrow()));
    const read: unknown[] = [];
    while (reader.hasMore) read.push(reader.read());
    return read;
  };
}

const plainData = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(undefined, null, true, false, "", 0, -0, Infinity, NaN),
    fc.integer(),
    fc.double(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme", maxLength: 400 }),
    fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
    fc.uint8Array(),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(fc.integer(), tie("value")), { maxLength: 3 }).map((pairs) => new Map(pairs)),
  ),
})).value;

test("all plain data comes out as it went in, whatever went before", () => {
  const cross = pair();
  fc.assert(
    fc.property(fc.array(plainData, { maxLength: 4 }), (values) => {
      expect(cross(...values)).toStrictEqual(values);
    }),
    { numRuns: 500 },
  );
});

test("keys and letters that are special in the language are none", () => {
  const cross = pair();
  const value: unknown = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2, "3": 4, "": 5}');
  const lone = "a\ud800b";
  for (let round = 0; round < 3; round++) {
    const [read, text] = cross(value, lone);
    expect(read).toStrictEqual(value);
    expect(Object.keys(read as object)).toEqual(["3", "__proto__", "constructor", ""]);
    expect(text).toBe(lone);
  }
});

test("the second record of a shape names no key", () => {
  const writer = new PlainWriter();
  writer.write({ somebody: 1, something: 2 });
  const first = writer.borrow().length;
  writer.write({ somebody: 3, something: 4 });
  expect(writer.borrow().length).toBeLessThan(first - 2 * "somebody".length);
});

test("records of more shapes and keys than are remembered cross as well", () => {
  const cross = pair();
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < SHAPES_MAX + 50; index++) {
      const value = { [`key-${index}`]: index };
      expect(cross(value, { always: value })).toEqual([value, { always: value }]);
    }
  }
  const keys = Array.from({ length: SHAPE_KEYS_MAX * 3 }, (_, index) => [`k${index}`, index]);
  const wide = Object.fromEntries(keys) as unknown;
  expect(cross(wide, wide)).toEqual([wide, wide]);
});

test("what is no plain data is refused, and nothing of its message is sent", () => {
  const circle: unknown[] = [];
  circle.push(circle);
  const bad = [() => 1, Symbol("s"), new Date(0), new Error("no"), new Set([1]), circle];
  for (const value of bad) {
    const writer = new PlainWriter();
    const reader = new PlainReader();
    writer.write({ before: 1 });
    expect(() => writer.write({ fresh: { shape: 1 } }, { last: value })).toThrow(AssertionError);
    writer.write({ fresh: { shape: 2 } }, { before: 3 });
    reader.begin(Buffer.from(writer.borrow()));
    expect([reader.read(), reader.read(), reader.read()]).toEqual([
      { before: 1 },
      { fresh: { shape: 2 } },
      { before: 3 },
    ]);
    expect(reader.hasMore).toBe(false);
  }
  let deep: unknown = 1;
  for (let depth = 0; depth < DEPTH_MAX; depth++) deep = [deep];
  expect(pair()(deep)).toEqual([deep]);
  expect(() => pair()([deep])).toThrow(AssertionError);
});

test("bytes that end within a value are a bug, not another value", () => {
  const writer = new PlainWriter();
  writer.write({ text: "a text", bytes: new Uint8Array(9), list: [1, 2n, 3.5] });
  const whole = Buffer.from(writer.borrow());
  for (let length = 0; length < whole.length; length++) {
    const reader = new PlainReader();
    reader.begin(whole.subarray(0, length));
    expect(() => reader.read()).toThrow();
  }
});

test("a buffer that one large value needed is not kept", () => {
  const writer = new PlainWriter();
  writer.write(new Uint8Array(9_000_000));
  writer.borrow();
  writer.write(1);
  expect(writer.borrow().buffer.byteLength).toBeLessThan(1024 * 1024);
});
