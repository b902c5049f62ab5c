import { expect, test } from "bun:test";
import { openManagementServer } from "./testing/management-server.ts";
import { fill, refusalOf, shellFor } from "./testing/shells.ts";

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

test("keys are listed with and without a leading slash, folders once", async () => {
  await using server = await openManagementServer();
  fill(server, "my-bucket", {
    "dummy.parquet": "1",
    "dummy_kfp.parquet": "22",
    ".hidden": "3",
    "folder/": "",
    "folder/a": "4",
    "folder/b/c": "5",
    both: "6",
    "both/x": "7",
  });
  const shell = shellFor(server);
  const expected = "both\nboth/\ndummy.parquet\ndummy_kfp.parquet\nfolder/\n";
  for (const path of ["buckets/my-bucket", "/buckets/my-bucket", "/buckets/my-bucket/"]) {
    expect(await shell.run(`fs.ls ${path}`)).toBe(expected);
  }
  expect(await shell.run("fs.ls -a buckets/my-bucket")).toBe(`.hidden\n${expected}`);
  expect(await shell.run("fs.ls buckets/my-bucket/folder")).toBe("a\nb/\n");
  expect(await shell.run("fs.ls buckets/my-bucket/dummy.parquet")).toBe("dummy.parquet\n");
  expect(await shell.run("fs.ls -l buckets/my-bucket/folder/")).toBe(
    "   1              1 2026-01-02T03:04:05.000Z a\nb/\ntotal 2\n",
  );
  expect(await shell.run("fs.ls")).toBe("buckets\n");
  expect(await shell.run("fs.ls /buckets")).toBe("my-bucket\n");
  expect(await refusalOf(shell.run("fs.ls /buckets/my-bucket/none"))).toBe(
    "not-found: There is no /buckets/my-bucket/none",
  );
  expect(await refusalOf(shell.run("fs.ls /buckets/none"))).toBe(
    "not-found: There is no bucket none",
  );
});

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

test("content and entry of an object are written out", async () => {
  await using server = await openManagementServer();
  fill(server, "data", { "näme & more?": "content\n" });
  const shell = shellFor(server);
  expect(await shell.run("fs.cat '/buckets/data/näme & more?'")).toBe("content\n");
  expect(JSON.parse(await shell.run("fs.meta.cat '/buckets/data/näme & more?'"))).toEqual({
    path: "näme & more?",
    size_bytes: 8,
    chunks: [],
  });
  expect(await refusalOf(shell.run("fs.cat /buckets/data/none"))).toStartWith("not-found:");
  expect(await refusalOf(shell.run("fs.meta.cat /buckets/data/none"))).toStartWith("not-found:");
  expect(await refusalOf(shell.run("fs.cat /buckets/data"))).toStartWith("usage:");
  expect(await refusalOf(shell.run("fs.cat"))).toStartWith("usage:");
});

test("folders and buckets are made", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  await shell.run("fs.mkdir /buckets/data; fs.mkdir /buckets/data/folder");
  expect([...(server.buckets.get("data")?.objects ?? [])]).toEqual([["folder/", ""]]);
  expect(await shell.run("fs.ls /buckets/data")).toBe("folder/\n");
  expect(await shell.run("fs.ls /buckets/data/folder")).toBe("");
});

test("objects are deleted one by one, folders and buckets only with -r", async () => {
  await using server = await openManagementServer();
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`many/${at}`, "x"]));
  fill(server, "data", { a: "1", b: "2", "f/": "", "f/x": "3", "f2/y": "4", ...many });
  const shell = shellFor(server);
  const keys = (): string[] => [...(server.buckets.get("data")?.objects.keys() ?? [])];
  await shell.run("fs.rm /buckets/data/a buckets/data/b");
  expect(keys()).not.toContain("a");
  expect(keys()).not.toContain("b");
  expect(await refusalOf(shell.run("fs.rm /buckets/data/f"))).toStartWith("usage:");
  expect(await refusalOf(shell.run("fs.rm /buckets/data"))).toStartWith("refused:");
  expect(await refusalOf(shell.run("fs.rm -r /buckets"))).toStartWith("usage:");
  expect(await refusalOf(shell.run("fs.rm /buckets/data/none"))).toStartWith("not-found:");
  expect(await shell.run("fs.rm -f /buckets/data/none")).toBe("");
  await shell.run("fs.rm -r /buckets/data/f");
  expect(keys().filter((key) => key.startsWith("f"))).toEqual(["f2/y"]);
  await shell.run("fs.rm -r -f /buckets/data");
  expect(server.buckets.has("data")).toBe(false);
});

test("objects and folders are renamed, or moved into folders", async () => {
  await using server = await openManagementServer();
  fill(server, "data", { a: "1", "f/": "", "f/1": "2", "f/2/3": "3", "f2/x": "4" });
  const shell = shellFor(server);
  const keys = (): string[] => [...(server.buckets.get("data")?.objects.keys() ?? [])].sort();
  await shell.run("fs.mv /buckets/data/a /buckets/data/b");
  await shell.run("fs.mv /buckets/data/b /buckets/data/f2");
  expect(keys()).toEqual(["f/", "f/1", "f/2/3", "f2/b", "f2/x"]);
  await shell.run("fs.mv /buckets/data/f/ /buckets/data/g");
  expect(keys()).toEqual(["f2/b", "f2/x", "g/", "g/1", "g/2/3"]);
  await shell.run("fs.mv /buckets/data/g /buckets/data/f2");
  expect(keys()).toEqual(["f2/b", "f2/g/", "f2/g/1", "f2/g/2/3", "f2/x"]);
  for (const [source, target] of [
    ["/buckets/data/f2", "/buckets/data/f2/g"],
    ["/buckets/data/f2/b", "/buckets/data/f2/b"],
    ["/buckets/data/f2/b", "/buckets/other/b"],
    ["/buckets/data", "/buckets/other"],
  ] as const) {
    expect(await refusalOf(shell.run(`fs.mv ${source} ${target}`))).toStartWith("usage:");
  }
  expect(await refusalOf(shell.run("fs.mv /buckets/data/no /buckets/data/x"))).toStartWith("not-");
  expect(keys()).toEqual(["f2/b", "f2/g/", "f2/g/1", "f2/g/2/3", "f2/x"]);
});

test("sizes are added up and trees are drawn", async () => {
  await using server = await openManagementServer();
  fill(server, "data", { a: "12345", "f/1": "1", "f/2": "22", "f/3": "333", "f/g/4": "4444" });
  const shell = shellFor(server);
  expect(await shell.run("fs.du /buckets/data/f")).toBe(
    "block:   4\tlogical size:        10\t/buckets/data/f\n",
  );
  expect(await shell.run("fs.du /")).toBe("block:   5\tlogical size:        15\t/buckets/data\n");
  expect(await shell.run("fs.tree /buckets")).toBe(
    [
      "└── data",
      "    ├── a",
      "    └── f/",
      "        ├── 1",
      "        ├── 2",
      "        ├── 3",
      "        └── g/",
      "            └── 4",
      "3 directories, 5 files\n",
    ].join("\n"),
  );
});

test("s3.configure shows the result, and does it with -apply", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  const line =
    "s3.configure -user minio -access_key minio -secret_key minio123 -actions Read,Write,List";
  const shown = {
    identities: [
      {
        name: "minio",
        credentials: [{ accessKey: "minio", status: "Active" }],
        actions: ["Read", "Write", "List"],
        disabled: false,
      },
    ],
  };
  const dry = await shell.run(line);
  expect(JSON.parse(dry)).toEqual(shown);
  expect(dry).not.toContain("minio123");
  expect(server.identities.size).toBe(0);
  expect(JSON.parse(await shell.run(`${line} -apply`))).toEqual(shown);
  const minio = server.identities.get("minio");
  expect(minio?.actions).toEqual(["Read", "Write", "List"]);
  expect([...(minio?.keys ?? [])]).toEqual([["minio", "minio123"]]);
  expect(JSON.parse(await shell.run("s3.configure"))).toEqual(shown);
});

test("s3.configure adds to what is there, and gives a key another secret", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  await shell.run("s3.configure -user u -access_key k1 -secret_key secret-1 -actions Read -apply");
  await shell.run("s3.configure -user u -actions Write,Read -buckets x,y -apply");
  await shell.run("s3.configure -user u -access_key k1 -secret_key secret-2 -apply");
  await shell.run("s3.configure -user u -access_key k2 -secret_key secret-3 -apply");
  const user = server.identities.get("u");
  expect(user?.actions).toEqual(["Read", "Write:x", "Read:x", "Write:y", "Read:y"]);
  expect([...(user?.keys ?? [])]).toEqual([
    ["k1", "secret-2"],
    ["k2", "secret-3"],
  ]);
});

test("s3.configure -delete takes away what is named, or the whole identity", async () => {
  await using server = await openManagementServer();
  const keys = new Map([
    ["k1", "s1"],
    ["k2", "s2"],
  ]);
  server.identities.set("u", { actions: ["Read", "Write:x"], isDisabled: false, keys });
  const shell = shellFor(server);
  await shell.run("s3.configure -user u -actions Write -buckets x -delete -apply");
  await shell.run("s3.configure -user u -access_key k1 -delete -apply");
  expect(server.identities.get("u")?.actions).toEqual(["Read"]);
  expect([...keys.keys()]).toEqual(["k2"]);
  await shell.run("s3.configure -user u -delete");
  expect(server.identities.has("u")).toBe(true);
  await shell.run("s3.configure -user u -delete -apply");
  expect(server.identities.has("u")).toBe(false);
  expect(await refusalOf(shell.run("s3.configure -user u -delete"))).toStartWith("not-found:");
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

test("users and keys are made, shown without secrets, switched and deleted", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await shell.run("s3.user.create -name ann -actions Read,List:b")).toBe(
    "created user ann\naccess_key: AKIAMADE\nsecret_key: made-secret\n",
  );
  expect(await refusalOf(shell.run("s3.user.create -name ann"))).toStartWith("refused:");
  expect(await shell.run("s3.accesskey.create -user ann -access_key k -secret_key ssssssss")).toBe(
    "access_key: k\nsecret_key: ssssssss\n",
  );
  expect(await shell.run("s3.accesskey.list -user ann")).toBe(
    "  AKIAMADE\tActive\t2026-01-02T03:04:05.000Z\n  k\tActive\t2026-01-02T03:04:05.000Z\n",
  );
  expect(await shell.run("s3.accesskey.delete -user ann -access_key k")).toBe(
    "deleted access key k\n",
  );
  await shell.run("s3.user.disable -name ann");
  expect(await shell.run("s3.user.list")).toBe("  ann\tkeys:1\tactions:Read,List:b\tdisabled\n");
  await shell.run("s3.user.enable -name ann");
  expect(await shell.run("s3.user.list")).toBe("  ann\tkeys:1\tactions:Read,List:b\n");
  expect(await shell.run("s3.user.show -name ann")).not.toContain("secret");
  expect(await shell.run("s3.user.delete -name ann")).toBe("deleted user ann\n");
  expect(await refusalOf(shell.run("s3.user.delete -name ann"))).toStartWith("not-found:");
  expect(await refusalOf(shell.run("s3.user.delete -name .."))).toStartWith("usage:");
});

test("volumes and the cluster are shown", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await shell.run("volume.list")).toBe(
    '  volume id:1 size:300 collection:"" file_count:2 live_bytes:100 delete_count:1 deleted_byte_count:50 garbage:10.0% state:writable form:plain disk:0\n' +
      '  volume id:2 size:500 collection:"cold" file_count:2 live_bytes:100 delete_count:1 deleted_byte_count:50 garbage:50.0% state:sealed form:plain disk:0 damaged:1\n' +
      "total size:800 volume_count:2\n",
  );
  expect(await shell.run("volume.list -writable")).toContain("total size:300 volume_count:1");
  expect(await shell.run("volume.list -readonly")).toContain("total size:500 volume_count:1");
  expect(await shell.run("volume.list -volumeId 2")).toContain("volume_count:1");
  expect(await shell.run("cluster.status")).toBe(
    "version: 0.1.0\nhealthy: yes\nstarted: 2026-01-02T03:04:05.000Z\ndir: /data\nvolumes: 2\n" +
      "disk_total_bytes: 1000\ndisk_available_bytes: 400\nendpoint s3: http://127.0.0.1:8333\n",
  );
});

test("volume.vacuum takes volumes above the threshold, or the one that is named", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  const second = "volume 2: 50.0% garbage, 500 bytes before, 100 after\n  damaged 1a at 8: rot\n";
  expect(await shell.run("volume.vacuum")).toBe(`${second}vacuumed volumes:1 damaged:1\n`);
  expect(await shell.run("volume.vacuum -garbageThreshold=0.05")).toContain("vacuumed volumes:2");
  expect(await shell.run("volume.vacuum -garbageThreshold 0.5")).toBe("vacuumed volumes:0\n");
  expect(await shell.run("volume.vacuum -volumeId=1")).toContain("volume 1: 10.0% garbage");
  expect(await shell.run("volume.vacuum -collection=other")).toBe("vacuumed volumes:0\n");
  const before = server.calls.length;
  for (const threshold of ["", "x", "-1", "1.5", "30%"]) {
    expect(
      await refusalOf(shell.run(`volume.vacuum -garbageThreshold='${threshold}'`)),
    ).toStartWith("usage:");
  }
  expect(server.calls.length).toBe(before);
  expect(await refusalOf(shell.run("volume.vacuum -volumeId 9"))).toStartWith("not-found:");
});

test("a volume that is not there or that the server will not vacuum keeps no other from it", async () => {
  await using server = await openManagementServer();
  const [plain] = server.volumes;
  if (plain === undefined) throw new Error("there is no volume");
  const garbage = { ...plain, garbage_ratio: 0.9 };
  server.volumes.unshift({ ...plain, id: 3, state: "missing" }, { ...garbage, id: 4 });
  server.refusing.add(4);
  const shell = shellFor(server);
  const written: string[] = [];
  const output = { write: async (piece: string | Uint8Array) => void written.push(String(piece)) };
  expect(await refusalOf(shell.execute("volume.vacuum", output))).toBe("refused: Not vacuumed: 4");
  expect(written.join("")).toBe(
    "volume 3: missing, not vacuumed\n" +
      "volume 4: Cannot vacuum it: its index may be wrong\n" +
      "volume 2: 50.0% garbage, 500 bytes before, 100 after\n  damaged 1a at 8: rot\n" +
      "vacuumed volumes:1 damaged:1\n",
  );
  expect(await refusalOf(shell.run("volume.vacuum -volumeId 4"))).toBe(
    "refused: Cannot vacuum it: its index may be wrong",
  );
});

test("volume.scrub tells what is damaged", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await shell.run("volume.scrub")).toBe(
    "volume 1: 2 checked (100 bytes), 0 repaired, 0 damaged\n" +
      "volume 2: 2 checked (100 bytes), 0 repaired, 1 damaged\n" +
      "  damaged 1a at 8: rot\n" +
      "damaged:1\n",
  );
  expect(await shell.run("volume.scrub -volumeId 1")).toContain("damaged:0\n");
  expect(await refusalOf(shell.run("volume.scrub -volumeId 9"))).toStartWith("not-found:");
});

test("volume.mark and volume.delete say exactly what they mean", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await shell.run("volume.mark -volumeId 1 -readonly")).toBe("volume 1 is read-only\n");
  expect(await shell.run("volume.mark -volumeId 1 -writable")).toBe("volume 1 is writable\n");
  expect(await refusalOf(shell.run("volume.mark -volumeId 2 -writable"))).toStartWith("refused:");
  expect(await refusalOf(shell.run("volume.delete -volumeId 1"))).toStartWith("refused:");
  expect(await shell.run("volume.delete -volumeId 1 -force")).toBe("deleted volume 1\n");
  expect(server.calls.at(-1)).toBe("DELETE /api/v1/volumes/1?force=true");
  const before = server.calls.length;
  for (const line of [
    "volume.mark -volumeId 1",
    "volume.mark -volumeId 1 -readonly -writable",
    "volume.mark -readonly",
    "volume.delete",
    "volume.delete -volumeId x",
  ]) {
    expect(await refusalOf(shell.run(line))).toStartWith("usage:");
  }
  expect(server.calls.length).toBe(before);
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
