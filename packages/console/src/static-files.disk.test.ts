import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemDisk } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { folderStaticFiles } from "./static-files.ts";

test("files of the folder are read, and nothing outside it", async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "dist/assets"), { recursive: true });
  writeFileSync(join(folder.path, "secret"), "secret");
  writeFileSync(join(folder.path, "dist/.hidden"), "hidden");
  writeFileSync(join(folder.path, "dist/assets/a.js"), "a");
  const files = folderStaticFiles(systemDisk, join(folder.path, "dist"));
  const text = async (path: string) => {
    const bytes = await files.read(path);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
  expect(await text("assets/a.js")).toBe("a");
  for (const path of ["../secret", "assets/../../secret", "/etc/passwd", ".hidden", "assets", ""]) {
    expect([path, await text(path)]).toEqual([path, undefined]);
  }
});

test("a rebuilt page shows at once", async () => {
  using folder = temporaryFolder();
  const page = join(folder.path, "index.html");
  const files = folderStaticFiles(systemDisk, folder.path);
  expect(await files.read("index.html")).toBeUndefined();
  for (const version of ["one", "two"]) {
    writeFileSync(page, version);
    expect(new TextDecoder().decode(await files.read("index.html"))).toBe(version);
  }
});
