import { expect, test } from "bun:test";
import { openManagementServer } from "../testing/management-server.ts";
import { fill, refusalOf, shellFor } from "../testing/shells.ts";

test("buckets are listed and created as in the classic shell", async () => {
  await using server = await openManagementServer();
  fill(server, "mlpipeline", {});
  const shell = shellFor(server);
  expect(await shell.run("s3.bucket.list")).toBe("  mlpipeline\tsize:0\tchunk:0\n");
  expect(await shell.run("s3.bucket.create --name my-bucket")).toBe(
    "create bucket under /buckets\ncreated bucket my-bucket\n",
  );
  expect(await shell.run("s3.bucket.list")).toBe(
    "  mlpipeline\tsize:0\tchunk:0\n  my-bucket\tsize:0\tchunk:0\n",
  );
  expect(await shell.run("s3.bucket.delete -name=my-bucket")).toBe("deleted bucket my-bucket\n");
  expect([...server.buckets.keys()]).toEqual(["mlpipeline"]);
});

test("a quota is set, shown in the list, and removed", async () => {
  await using server = await openManagementServer();
  fill(server, "data", { a: "x".repeat(1024) });
  const shell = shellFor(server);
  expect(await shell.run("s3.bucket.quota -name data")).toBe("bucket data quota:none size:1024\n");
  expect(await shell.run("s3.bucket.quota -name data -op set -sizeMB 2")).toBe(
    "bucket data quota:2097152 size:1024\n",
  );
  expect(await shell.run("s3.bucket.list")).toBe(
    "  data\tsize:1024\tchunk:1\tquota:2097152\tusage:0.05%\n",
  );
  expect(await shell.run("s3.bucket.quota -name data -op remove")).toContain("quota:none");
  expect(await refusalOf(shell.run("s3.bucket.quota -name data -op set"))).toStartWith("usage:");
  expect(await refusalOf(shell.run("s3.bucket.quota -name data -op x"))).toStartWith("usage:");
  expect(await refusalOf(shell.run("s3.bucket.quota -name none"))).toStartWith("not-found:");
});

test("the bounds of a quota are set one by one, and removed together", async () => {
  await using server = await openManagementServer();
  fill(server, "data", { a: "x" });
  const shell = shellFor(server);
  expect(await shell.run("s3.bucket.quota -name data -op set -objects 5")).toBe(
    "bucket data quota:none size:1 quota_objects:5 objects:1\n",
  );
  expect(await shell.run("s3.bucket.quota -name data -op set -sizeMB 1")).toBe(
    "bucket data quota:1048576 size:1 quota_objects:5 objects:1\n",
  );
  expect(await shell.run("s3.bucket.list")).toEndWith("\tusage:0.00%\tobjects:1/5\n");
  expect(await shell.run("s3.bucket.quota -name data -op remove")).toBe(
    "bucket data quota:none size:1\n",
  );
  for (const flags of ["", "-objects x", "-objects -1", "-sizeMB 999999999999999"]) {
    const line = `s3.bucket.quota -name data -op set ${flags}`;
    expect(await refusalOf(shell.run(line))).toStartWith("usage:");
  }
});

test("a bucket with something in it is deleted with -force; its snapshots stop fs.rm -r", async () => {
  await using server = await openManagementServer();
  fill(server, "data", { a: "1" });
  const shell = shellFor(server);
  await shell.run("snapshot.create -bucket data -name s1");
  expect(await refusalOf(shell.run("s3.bucket.delete -name data"))).toStartWith("refused:");
  expect(await refusalOf(shell.run("s3.bucket.delete -name data -force=false"))).toStartWith(
    "refused:",
  );
  expect(await refusalOf(shell.run("fs.rm -r /buckets/data"))).toContain("has snapshots");
  expect([...(server.buckets.get("data")?.objects.keys() ?? [])]).toEqual(["a"]);
  expect(await shell.run("s3.bucket.delete -name data -force")).toBe("deleted bucket data\n");
  expect(server.buckets.size).toBe(0);
});
