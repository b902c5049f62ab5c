import { expect, test } from "bun:test";
import { UsageError } from "./usage-error.ts";
import { parseVolumeTiers } from "./volume-tiers.ts";

test("remote stores are names and absolute folders", () => {
  expect(parseVolumeTiers(undefined)).toEqual([]);
  expect(parseVolumeTiers("cold=folder:/mnt/a=b, s-3.x=folder:/srv")).toEqual([
    { name: "cold", folder: "/mnt/a=b" },
    { name: "s-3.x", folder: "/srv" },
  ]);
});

test.each([
  "cold",
  "cold=/mnt",
  "cold=folder:mnt",
  "=folder:/mnt",
  "co ld=folder:/mnt",
  "cold=s3://bucket",
  "a=folder:/x,a=folder:/y",
  "",
])("%j is no list of remote stores", (text) => {
  expect(() => parseVolumeTiers(text)).toThrow(UsageError);
});
