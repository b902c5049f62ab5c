import { expect, test } from "bun:test";
import { parseDelimited } from "./delimited.ts";

const parse = (text: string, rowCountMax = 100) =>
  parseDelimited(text, { delimiter: ",", rowCountMax });

test("quotes protect delimiters, line breaks and doubled quotes", () => {
  expect(parse('a,"b,c","d\n""e"""\r\n1,,3')).toEqual([
    ["a", "b,c", 'd\n"e"'],
    ["1", "", "3"],
  ]);
});

test("a last line break makes no further row, a last delimiter makes an empty field", () => {
  expect(parse("a,b\n")).toEqual([["a", "b"]]);
  expect(parse("a,")).toEqual([["a", ""]]);
});

test("a text cut inside quotes gives what there is", () => {
  expect(parse('a,"b')).toEqual([["a", "b"]]);
});

test("no more rows are read than asked for", () => {
  expect(parse("1\n2\n3\n4", 2)).toEqual([["1"], ["2"]]);
});
