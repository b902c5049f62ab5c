import { expect, test } from "bun:test";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@kelp/base/testing";
import { makePrivateFolder } from "./private-folder.ts";

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test("a folder is made with those above it, for its owner alone", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a", "b");
  makePrivateFolder(path);
  expect([modeOf(join(folder.path, "a")), modeOf(path)]).toEqual([0o700, 0o700]);
});

test("one that is there keeps its mode", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "theirs");
  mkdirSync(path, { mode: 0o755 });
  makePrivateFolder(path);
  expect(modeOf(path)).toBe(0o755);
});
