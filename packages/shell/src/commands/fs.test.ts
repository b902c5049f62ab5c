import { expect, test } from "bun:test";
import { openManagementServer } from "../testing/management-server.ts";
import { fill, refusalOf, shellFor } from "../testing/shells.ts";

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
