import { expect, test } from "bun:test";
import { blankComments, blankStrings } from "./blank.ts";

test("comments become spaces and lines stay", () => {
  expect(blankComments("a // b\nc /* d\ne */ f")).toBe("a     \nc     \n     f");
});

test("what looks like a comment in a string stays", () => {
  expect(blankComments('a("http://x") // y')).toBe('a("http://x")     ');
});

test("strings become spaces between their quotes", () => {
  expect(blankStrings(`a("b\\"c", 'd')`)).toBe(`a("    ", ' ')`);
});

test("code inside a template string stays, also nested", () => {
  expect(blankStrings("`a${b + `c${d}e`}f` + g")).toBe("` ${b + ` ${d} `} ` + g");
});

test("a regular expression is told from a division", () => {
  expect(blankStrings("x = /[/'\"]/.test(a) ? b / c / d : 'e'")).toBe(
    "x = /     /.test(a) ? b / c / d : ' '",
  );
});
