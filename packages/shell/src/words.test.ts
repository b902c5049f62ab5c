import { expect, test } from "bun:test";
import { ShellError } from "./errors.ts";
import { type FlagSpecs, parseFlags } from "./flags.ts";
import { locate, nameOf, resolvePath } from "./location.ts";
import { splitCommands } from "./words.ts";

test.each<[string, readonly (readonly string[])[]]>([
  ["", []],
  ["   ", []],
  ["fs.ls", [["fs.ls"]]],
  ["  fs.ls\t-l   /buckets ", [["fs.ls", "-l", "/buckets"]]],
  ["a 'b c' \"d e\"", [["a", "b c", "d e"]]],
  ["a ''", [["a", ""]]],
  ["a b'c d'e", [["a", "bc de"]]],
  [String.raw`a b\ c`, [["a", "b c"]]],
  [String.raw`a "b\"c\\d\e"`, [["a", String.raw`b"c\d\e`]]],
  [String.raw`a 'b\c'`, [["a", String.raw`b\c`]]],
  ["a; b 'c;d' ;; e", [["a"], ["b", "c;d"], ["e"]]],
  ["a b # c", [["a", "b"]]],
  ["a b#c", [["a", "b#c"]]],
])("the line %p is read as %p", (line, commands) => {
  expect(splitCommands(line)).toEqual(commands);
});

test.each(["a 'b", 'a "b', "a 'b\""])("the open quote of %p is refused", (line) => {
  expect(() => splitCommands(line)).toThrow(ShellError);
});

const SPECS: FlagSpecs = {
  name: { kind: "text", help: "" },
  sizeMB: { kind: "count", help: "" },
  apply: { kind: "switch", help: "" },
};

test.each([
  [["-name", "b"]],
  [["--name", "b"]],
  [["-name=b"]],
  [["--name=b"]],
  [["--name", "a", "-name=b"]],
])("%p names b", (words) => {
  expect(parseFlags(words, SPECS).text("name")).toBe("b");
});

test("flags stand before, between and after arguments", () => {
  const flags = parseFlags(["x", "-apply", "y", "-name", "-b", "z"], SPECS);
  expect(flags.rest).toEqual(["x", "y", "z"]);
  expect(flags.isOn("apply")).toBe(true);
  expect(flags.text("name")).toBe("-b");
  expect(parseFlags(["-apply=false"], SPECS).isOn("apply")).toBe(false);
  expect(parseFlags(["--", "-name"], SPECS).rest).toEqual(["-name"]);
  expect(parseFlags(["-", "a=b"], SPECS).rest).toEqual(["-", "a=b"]);
  expect(parseFlags(["-name="], SPECS).text("name")).toBe("");
  expect(parseFlags(["-name=a=b"], SPECS).text("name")).toBe("a=b");
});

test.each([
  [["-nam", "b"]],
  [["-name"]],
  [["-sizeMB", "x"]],
  [["-sizeMB=-1"]],
  [["-sizeMB=1.5"]],
  [["-apply=maybe"]],
  [["-constructor", "x"]],
])("%p is refused", (words) => {
  expect(() => parseFlags(words, SPECS)).toThrow(ShellError);
});

test.each([
  ["/", "buckets/b", "/buckets/b"],
  ["/", "/buckets/b", "/buckets/b"],
  ["/buckets/b", "a/b", "/buckets/b/a/b"],
  ["/buckets/b", ".", "/buckets/b"],
  ["/buckets/b", "..", "/buckets"],
  ["/buckets/b", "../c/d", "/buckets/c/d"],
  ["/buckets", "../..", "/"],
  ["/buckets/b", "./a/../b", "/buckets/b/a/../b"],
])("from %p the path %p is %p", (directory, path, resolved) => {
  expect(resolvePath(directory, path)).toBe(resolved);
});

test("a path names the root, the buckets, a bucket or a key, whose slashes are kept", () => {
  expect(locate("/")).toEqual({ kind: "root" });
  expect(locate("/buckets")).toEqual({ kind: "buckets" });
  expect(locate("/buckets/")).toEqual({ kind: "buckets" });
  expect(locate("/buckets/b")).toEqual({ kind: "bucket", bucket: "b" });
  expect(locate("/buckets/b/")).toEqual({ kind: "bucket", bucket: "b" });
  expect(locate("/buckets/b/a//b/")).toEqual({ kind: "object", bucket: "b", key: "a//b/" });
  for (const path of ["/etc", "/bucketsx", "/buckets//k"]) {
    expect(() => locate(path)).toThrow(ShellError);
  }
  expect(["a", "a/b", "a/b/", "/"].map(nameOf)).toEqual(["a", "b", "b/", "/"]);
});
