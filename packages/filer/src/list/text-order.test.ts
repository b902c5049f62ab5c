import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { compareText, textAfterPrefix } from "./text-order.ts";

const text = fc.string({ unit: "binary", maxLength: 6 });

test("texts compare as the bytes of their UTF-8 do", () => {
  fc.assert(
    fc.property(text, text, (left, right) => {
      const expected = Buffer.compare(Buffer.from(left), Buffer.from(right));
      expect(Math.sign(compareText(left, right))).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test("an astral character sorts above U+FFFF, which JavaScript's own order denies", () => {
  expect(compareText("\u{1F600}", "\uFFFD") > 0).toBe(true);
  expect(["\u{1F600}", "\uFFFD"].sort()).toEqual(["\u{1F600}", "\uFFFD"]);
});

test("the text after a prefix is above all that starts with it and not above anything else that is", () => {
  fc.assert(
    fc.property(text, text, text, (prefix, rest, other) => {
      const after = textAfterPrefix(prefix);
      if (after === undefined) {
        expect(prefix.replaceAll("\u{10FFFF}", "")).toBe("");
        return;
      }
      expect(compareText(prefix + rest, after) < 0).toBe(true);
      const isAbove = compareText(other, prefix) > 0 && !other.startsWith(prefix);
      if (isAbove) expect(compareText(other, after) >= 0).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("the text after a prefix steps over the surrogates and over the last code point", () => {
  expect(textAfterPrefix("a\uD7FF")).toBe("a\uE000");
  expect(textAfterPrefix("a\u{10FFFF}")).toBe("b");
  expect(textAfterPrefix("\u{10FFFF}")).toBeUndefined();
  expect(textAfterPrefix("")).toBeUndefined();
});
