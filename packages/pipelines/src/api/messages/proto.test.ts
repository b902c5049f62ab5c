import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { ApiError } from "../errors.ts";
import {
  int64,
  parseQueryBoolean,
  populated,
  readJsonText,
  readMessage,
  snakeMessage,
  struct,
  text,
} from "./proto.ts";
import { formatTimestamp, parseTimestampMs } from "./timestamp.ts";

const INNER = snakeMessage("Inner", { some_text: text });
const OUTER = snakeMessage("Outer", {
  some_number: int64.optional(),
  some_struct: struct.optional(),
  some_inner: INNER.optional(),
  flag: z.boolean().optional(),
});

function refusal(value: unknown): string {
  try {
    readMessage(OUTER, value, "Outer");
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
  return "accepted";
}

describe("reading messages", () => {
  test("names come in snake or camel case, null means absent", () => {
    const wanted = { some_number: 5, some_inner: { some_text: "x" } };
    expect(
      readMessage(OUTER, { someNumber: "5", someInner: { someText: "x" }, flag: null }, "Outer"),
    ).toEqual(wanted);
    expect(readMessage(OUTER, { some_number: 5, some_inner: { some_text: "x" } }, "Outer")).toEqual(
      wanted,
    );
  });

  test("names inside a struct are the user's", () => {
    const someStruct = { keepMe: { keep_me: [null, 1] } };
    expect(readMessage(OUTER, { someStruct }, "Outer")).toEqual({ some_struct: someStruct });
  });

  test.each([
    [{ other: 1 }, 'Outer has no field "other"'],
    [{ some_inner: { other: 1 } }, 'Inner has no field "other"'],
    [{ some_number: 1, someNumber: 2 }, "twice"],
    [{ __proto__: null, constructor: 1 }, 'no field "constructor"'],
    [{ some_number: 1.5 }, "some_number"],
    [{ some_number: "99999999999999999999" }, "some_number"],
    [{ flag: "true" }, "flag"],
    [[], "Outer"],
    ["text", "Outer"],
    [null, "Outer"],
  ])("refuses %j", (value, reason) => {
    expect(refusal(value)).toContain(reason);
  });
});

test("empty things are left out, zero and what stands inside are not", () => {
  const message = {
    a: "",
    b: [],
    c: {},
    d: false,
    e: undefined,
    f: null,
    g: 0,
    h: { i: "" },
    j: true,
  };
  expect(populated(message)).toEqual({ g: 0, h: { i: "" }, j: true });
});

describe("query booleans", () => {
  test.each(["True", "true", "1", "t"])("%s is true", (value) => {
    expect(parseQueryBoolean("x", value)).toBe(true);
  });
  test.each(["False", "false", "0", "", undefined])("%s is false", (value) => {
    expect(parseQueryBoolean("x", value)).toBe(false);
  });
  test.each(["yes", "TrUe", " true"])("%j is refused", (value) => {
    expect(() => parseQueryBoolean("x", value)).toThrow(ApiError);
  });
});

describe("times", () => {
  test("are written in whole seconds of UTC", () => {
    expect(formatTimestamp(0)).toBe("1970-01-01T00:00:00Z");
    expect(formatTimestamp(1_767_225_599_999)).toBe("2025-12-31T23:59:59Z");
  });
  test.each([
    ["2026-01-01T00:00:00Z", 1_767_225_600_000],
    ["2026-01-01T01:00:00.250+01:00", 1_767_225_600_250],
    ["2026-01-01t00:00:00.123456789z", 1_767_225_600_123],
  ])("%s is read", (value, timeMs) => {
    expect(parseTimestampMs(value)).toBe(timeMs);
  });
  test.each([
    "",
    "2026-01-01",
    "2026-01-01 00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-01T00:00:00",
    "1767225600",
  ])("%j is refused", (value) => {
    expect(parseTimestampMs(value)).toBeUndefined();
  });
});

test("JSON nested very deeply is refused in words, wherever in the message it stands", () => {
  const schema = snakeMessage("Thing", { inside: struct });
  const nested = (depth: number) => `{"inside":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`;
  expect(readJsonText(schema, nested(200), "Thing").inside).toBeDefined();
  for (const depth of [300, 200_000]) {
    expect(() => readJsonText(schema, nested(depth), "Thing")).toThrow(ApiError);
  }
});
