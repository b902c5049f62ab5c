import { AssertionError } from "@kelp/base";
import { expect, test } from "bun:test";
import { filerCollection, isFilerCollection } from "./filer-collection.ts";

test("each store has a collection of its own, known as a filer's", () => {
  const one = filerCollection("0190A5C2-7b1e-4c3d-9f00-aabbccddeeff");
  expect(one).toBe("kelp-filer-0190a5c27b1e4c3d");
  expect(isFilerCollection(one)).toBe(true);
  expect(filerCollection("0190A5C2-7b1e-4c3e-9f00-aabbccddeeff")).not.toBe(one);
  expect(() => filerCollection("short")).toThrow(AssertionError);
});

test("other collections are no filer's, nor is the one without a name", () => {
  for (const name of ["", "pictures", "kelp", "kelp-filer", "a-kelp-filer-1"]) {
    expect(isFilerCollection(name)).toBe(false);
  }
});
