import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { compilePattern, coversPrefix, matchesPattern, touchesPrefix } from "./pattern.ts";

function matches(pattern: string, text: string): boolean {
  return matchesPattern(compilePattern(pattern), text);
}

test.each([
  ["*", "", true],
  ["a", "a", true],
  ["a", "ab", false],
  ["a*", "a", true],
  ["a*", "b", false],
  ["*a", "ba", true],
  ["a?c", "abc", true],
  ["a?c", "ac", false],
  ["a?", "a/", true],
  ["a*b*c", "a/x/b/y/c", true],
  ["a*b*c", "acb", false],
  ["?", "😀", true],
  ["??", "😀", false],
  ["a*", "A", false],
  ["a.c", "abc", false],
  ["", "", true],
  ["", "a", false],
])("pattern %p on %p is %p", (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected);
});

test("a pattern agrees with the regular expression that it stands for", () => {
  const texts = fc.string({
    unit: fc.constantFrom("a", "b", "/", "*", "?", ".", "😀"),
    maxLength: 12,
  });
  fc.assert(
    fc.property(texts, texts, (pattern, text) => {
      const source = pattern
        .replaceAll(/[.+^${}()|[\]\\/]/g, String.raw`\$&`)
        .replaceAll("*", "[^]*")
        .replaceAll("?", "[^]");
      expect(matches(pattern, text)).toBe(new RegExp(`^${source}$`, "u").test(text));
    }),
    { numRuns: 3000 },
  );
});

test("a pattern full of stars does not take exponential time", () => {
  expect(matches(`${"*a".repeat(500)}b`, "a".repeat(5000))).toBe(false);
});

test.each([
  ["*", "", "covers"],
  ["a*", "a", "covers"],
  ["a*", "ab", "covers"],
  ["?*", "ab", "covers"],
  ["a*b*", "axb", "covers"],
  ["ab*", "a", "touches"],
  ["ab", "a", "touches"],
  ["a", "a", "touches"],
  ["a?", "a", "touches"],
  ["*z", "a", "touches"],
  ["a*b*", "ax", "touches"],
  ["?", "", "touches"],
  ["a", "ab", "misses"],
  ["b*", "a", "misses"],
  ["?b*", "ac", "misses"],
  ["a?", "abc", "misses"],
])("pattern %p %p: it %p", (pattern, prefix, expected) => {
  const compiled = compilePattern(pattern);
  const touches = touchesPrefix(compiled, prefix) ? "touches" : "misses";
  expect(coversPrefix(compiled, prefix) ? "covers" : touches).toBe(expected);
});

test("what covers a prefix fits all below it, and what does not touch it fits nothing there", () => {
  const unit = fc.constantFrom("a", "b", "*", "?", "😀");
  const texts = fc.string({ unit, maxLength: 6 });
  fc.assert(
    fc.property(texts, texts, texts, (text, prefix, rest) => {
      const pattern = compilePattern(text);
      const fits = matchesPattern(pattern, prefix + rest);
      if (coversPrefix(pattern, prefix)) expect(fits).toBe(true);
      if (!touchesPrefix(pattern, prefix)) expect(fits).toBe(false);
    }),
    { numRuns: 5000 },
  );
});
