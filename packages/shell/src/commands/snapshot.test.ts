import { expect, test } from "bun:test";
import { openManagementServer } from "../testing/management-server.ts";
import { fill, refusalOf, shellFor } from "../testing/shells.ts";

test("snapshots are made, read with @, copied and deleted", async () => {
  await using server = await openManagementServer();
  fill(server, "data", { a: "old", "f/1": "x", "f/2": "y" });
  const shell = shellFor(server);
  expect(await shell.run("snapshot.create -bucket=data -name=s1")).toBe(
    "created snapshot data@s1 size:5 objects:3\n",
  );
  expect(await refusalOf(shell.run("snapshot.create -bucket=data -name=s1"))).toStartWith(
    "refused:",
  );
  await shell.run("fs.rm -r /buckets/data/f /buckets/data/a");
  expect(await shell.run("fs.ls /buckets/data")).toBe("");
  expect(await shell.run("snapshot.list -bucket=data")).toBe(
    "  s1\tsize:5\tobjects:3\t2026-01-02T03:04:05.000Z\n",
  );
  expect(await shell.run("fs.ls /buckets/data@s1")).toBe("a\nf/\n");
  expect(await shell.run("fs.cat /buckets/data@s1/a")).toBe("old");
  expect(await shell.run("fs.cd /buckets/data@s1/f; fs.cat 1")).toBe("x");
  expect(await shell.run("fs.du /buckets/data@s1")).toContain("logical size:         5");
  expect(await shell.run("fs.tree /buckets/data@s1")).toEndWith("1 directories, 3 files\n");
  expect(await shell.run("bucket.clone -from=data@s1 -to=copy; fs.cat /buckets/copy/a")).toBe(
    "cloned data@s1 to bucket copy size:5 objects:3\nold",
  );
  expect(await shell.run("bucket.clone -from=data -to=now")).toContain("size:0 objects:0");
  expect(await shell.run("snapshot.delete -bucket=data -name=s1")).toBe(
    "deleted snapshot data@s1\n",
  );
  for (const line of [
    "snapshot.delete -bucket=data -name=s1",
    "snapshot.list -bucket=none",
    "fs.cat /buckets/data@s1/a",
    "fs.ls /buckets/data@s1",
    "bucket.clone -from=data@s1 -to=other",
    "bucket.clone -from=none -to=other",
  ]) {
    expect(await refusalOf(shell.run(line))).toStartWith("not-found:");
  }
  expect(await refusalOf(shell.run("bucket.clone -from=data -to=copy"))).toStartWith("refused:");
});

test.each([
  "fs.rm /buckets/data@s1/a",
  "fs.rm -r /buckets/data@s1/f",
  "fs.rm -r /buckets/data@s1",
  "fs.mv /buckets/data@s1/a /buckets/data@s1/b",
  "fs.mkdir /buckets/data@s1/g",
  "fs.meta.cat /buckets/data@s1/a",
  "fs.ls /buckets/data@",
  "fs.ls /buckets/@s1",
  "s3.bucket.delete -name data@s1 -force",
  "s3.bucket.quota -name data@s1 -op set -objects 1",
  "snapshot.create -bucket data@s1 -name s2",
  "snapshot.create -bucket data",
  "snapshot.delete -bucket data",
  "snapshot.list",
  "bucket.clone -from data",
  "bucket.clone -to other",
])("%p is refused, and nothing changes", async (line) => {
  await using server = await openManagementServer();
  fill(server, "data", { a: "old", "f/1": "x" });
  const shell = shellFor(server);
  await shell.run("snapshot.create -bucket data -name s1");
  const from = server.calls.length;
  expect(await refusalOf(shell.run(line))).toStartWith("usage:");
  expect(server.calls.slice(from).filter((call) => !call.startsWith("GET "))).toEqual([]);
});
