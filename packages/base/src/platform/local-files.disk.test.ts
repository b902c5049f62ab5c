import { symlinkSync } from "node:fs";
import { expect, test } from "bun:test";
import { DiskError } from "../disk.ts";
import { temporaryFolder } from "../testing/index.ts";
import { systemFiles } from "./local-files.ts";

test("walk takes links to files and enters no linked folder, so that it stays inside and ends", async () => {
  using outside = temporaryFolder();
  await systemFiles.writeText(`${outside.path}/secret.txt`, "123");
  using folder = temporaryFolder();
  await systemFiles.writeText(`${folder.path}/sub/a.txt`, "1");
  symlinkSync(outside.path, `${folder.path}/elsewhere`);
  symlinkSync(".", `${folder.path}/sub/loop`);
  symlinkSync("sub/a.txt", `${folder.path}/b.txt`);
  symlinkSync("nothing", `${folder.path}/dangling`);
  expect(await systemFiles.walk(folder.path)).toEqual([
    { path: "b.txt", sizeBytes: 1 },
    { path: "sub/a.txt", sizeBytes: 1 },
  ]);
});

test("walk lists nested files by relative path in order", async () => {
  using folder = temporaryFolder();
  await systemFiles.writeText(`${folder.path}/b/c.txt`, "12");
  await systemFiles.writeText(`${folder.path}/a.txt`, "1");
  expect(await systemFiles.walk(folder.path)).toEqual([
    { path: "a.txt", sizeBytes: 1 },
    { path: "b/c.txt", sizeBytes: 2 },
  ]);
});

test("an exclusive file is created once", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/lock`;
  expect(await systemFiles.createExclusive(path, "1")).toBe("created");
  expect(await systemFiles.createExclusive(path, "2")).toBe("exists");
  expect(await systemFiles.readText(path, 10)).toBe("1");
});

test("readText refuses a file over the limit", async () => {
  using folder = temporaryFolder();
  await systemFiles.writeText(`${folder.path}/x`, "12345");
  const refusal = await systemFiles
    .readText(`${folder.path}/x`, 4)
    .catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DiskError);
});

test("appends arrive in order and reading starts at the offset", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/deep/log`;
  {
    await using file = await systemFiles.openAppend(path);
    file.append(Buffer.from("one "));
    file.append(Buffer.from("two"));
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of systemFiles.read(path, 4)) pieces.push(piece);
  expect(Buffer.concat(pieces).toString()).toBe("two");
});
