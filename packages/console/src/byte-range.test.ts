import { expect, test } from "bun:test";
import { parseRange } from "./byte-range.ts";

const part = (start: number, end: number) => ({ kind: "part", range: { start, end } }) as const;

test("first-last, open and suffix ranges are cut to the content", () => {
  expect(parseRange("bytes=0-0", 10)).toEqual(part(0, 1));
  expect(parseRange("bytes=4-", 10)).toEqual(part(4, 10));
  expect(parseRange("bytes=4-99", 10)).toEqual(part(4, 10));
  expect(parseRange("bytes=-3", 10)).toEqual(part(7, 10));
  expect(parseRange("bytes=-99", 10)).toEqual(part(0, 10));
});

test("ranges with no byte of the content are unsatisfiable", () => {
  for (const header of ["bytes=10-", "bytes=10-12", "bytes=-0"]) {
    expect(parseRange(header, 10)).toEqual({ kind: "unsatisfiable" });
  }
  expect(parseRange("bytes=0-", 0)).toEqual({ kind: "unsatisfiable" });
});

test("what is no single byte range means the whole", () => {
  for (const header of [undefined, "", "bytes=-", "bytes=1-2,4-5", "items=1-2", "bytes=5-4"]) {
    expect(parseRange(header, 10)).toEqual({ kind: "whole" });
  }
});
