import { expect, test } from "bun:test";
import { openManagementServer } from "./testing/management-server.ts";
import { fill, refusalOf, shellFor } from "./testing/shells.ts";

test("the working directory lasts from line to line", async () => {
  await using server = await openManagementServer();
  fill(server, "data", { "a/b/c": "hello" });
  const shell = shellFor(server);
  expect(await shell.run("fs.cd buckets/data/a; fs.pwd; fs.ls")).toBe("/buckets/data/a\nb/\n");
  expect(await shell.run("fs.cat b/c")).toBe("hello");
  expect(await shell.run("fs.cd ..; fs.pwd")).toBe("/buckets/data\n");
  expect(await shell.run("fs.cd; fs.pwd")).toBe("/\n");
  expect(await refusalOf(shell.run("fs.cd buckets/none"))).toStartWith("not-found:");
  expect(await shell.run("fs.pwd")).toBe("/\n");
});

test.each([
  "s3.configure -actions Read",
  "s3.configure -user u -access_key k",
  "s3.configure -user u -secret_key s",
  "s3.configure -user u -buckets b",
  "s3.configure -user u -policies p",
  "s3.configure -user u -account_id 1",
  "s3.bucket.create",
  "s3.bucket.create my-bucket",
  "s3.bucket.create -name",
  "s3.bucket.create -name=",
  "s3.bucket.list extra",
  "s3.user.create -name u -access_key k",
  "s3.bucket.make -name b",
  "fs.ls -z",
  "fs.ls 'open",
])("%p is refused before anything is sent that changes something", async (line) => {
  await using server = await openManagementServer();
  expect(await refusalOf(shellFor(server).run(line))).toStartWith("usage:");
  expect(server.calls.filter((call) => !call.startsWith("GET "))).toEqual([]);
});

test("help names every command, and the flags of one", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  const all = await shell.run("help");
  for (const name of ["fs.ls", "s3.bucket.create", "s3.configure", "volume.list", "help"]) {
    expect(all).toContain(`  ${name} `);
  }
  expect(await shell.run("help s3.bucket.create")).toContain("-name <text>: name of the bucket");
  expect(await refusalOf(shell.run("help none"))).toStartWith("usage:");
  expect(server.calls).toEqual([]);
});
