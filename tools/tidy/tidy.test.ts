import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { readSources } from "./source-file.ts";
import { RULES, violationsOf } from "./tidy.ts";

const files = readSources(resolve(import.meta.dirname, "../.."));

test("the checkout is found", () => {
  expect(files.some((file) => file.path === "packages/base/src/index.ts")).toBe(true);
});

for (const rule of RULES) {
  test(`the checkout keeps the rule: ${rule.name}`, () => {
    expect(violationsOf(rule, files)).toEqual([]);
  });
}
