import { expect, test } from "bun:test";
import { canonicalPath, canonicalQuery } from "./canonical-text.ts";

test.each([
  ["/a//b/./../c", "/a//b/./../c"],
  ["/a%2fb%2Fc", "/a%2Fb%2Fc"],
  ["/%7Etilde/%41", "/~tilde/A"],
  ["/a+b c", "/a%2Bb%20c"],
  ["/100%", "/100%25"],
  ["/%zz%4", "/%25zz%254"],
  ["/\u00c3\u00a4", "/%C3%A4"],
])("the path %p is signed as %p", (raw, canonical) => {
  expect(canonicalPath(raw)).toBe(canonical);
});

test.each([
  ["b=1&a=2", "a=2&b=1"],
  ["a=2&a=1&a", "a=&a=1&a=2"],
  ["a-b=1&a=1", "a=1&a-b=1"],
  ["prefix=a/b", "prefix=a%2Fb"],
  ["k=a=b", "k=a%3Db"],
  ["&&uploads&", "uploads="],
  ["k=a+b", "k=a%2Bb"],
])("the query %p is signed as %p", (raw, canonical) => {
  expect(canonicalQuery(raw, undefined)).toBe(canonical);
});
