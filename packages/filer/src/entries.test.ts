import { expect, test } from "bun:test";
import type { Condition } from "@kelp/wire";
import { ENTRY_PATH_BYTES_MAX } from "@kelp/wire";
import { TREE, codeOf, fileOf, get, noise, openTreeWorld, pathOf, write } from "./testing/index.ts";

const MIB = 1024 * 1024;

test("conditions hold or refuse at the commit, for present and absent entries", async () => {
  using world = await openTreeWorld();
  const { etag, position } = await write(world, "there", noise(3));
  const cases: readonly [string, Condition, "ok" | boolean][] = [
    ["there", { kind: "absent" }, true],
    ["there", { kind: "etag", etags: ["other"] }, true],
    ["there", { kind: "position", position: position + 1 }, true],
    ["gone", { kind: "present" }, false],
    ["gone", { kind: "etag", etags: [etag] }, false],
    ["gone", { kind: "position", position }, false],
    ["there", { kind: "position", position }, "ok"],
    ["there", { kind: "present" }, "ok"],
    ["there", { kind: "etag", etags: ["other", etag] }, "ok"],
    ["new", { kind: "absent" }, "ok"],
  ];
  for (const [path, condition, expected] of cases) {
    for (const sizeBytes of expected === "ok" ? [3] : [3, MIB]) {
      const result = await world.filer.writeFile({ ...fileOf(path, noise(sizeBytes)), condition });
      if (expected === "ok") expect(result.kind).toBe("ok");
      else {
        const refusal = { kind: "condition-failed", exists: expected };
        expect(result).toEqual({ kind: "refused", refusal } as typeof result);
      }
    }
  }
  expect(world.volumes.needleCount).toBe(0);
});

test("of many writers who want the entry absent exactly one wins", async () => {
  using world = await openTreeWorld();
  const writes = Array.from({ length: 50 }, () =>
    world.filer.writeFile({ ...fileOf("a", noise(5)), condition: { kind: "absent" } }),
  );
  const kinds = (await Promise.all(writes)).map((result) => result.kind);
  expect(kinds.filter((kind) => kind === "ok")).toEqual(["ok"]);
});

test("a quota is exact under concurrent writes, inline and chunked", async () => {
  using world = await openTreeWorld();
  await world.filer.setQuota(TREE, { bytes: 10 * 20_000 + 5 });
  const writes = Array.from({ length: 40 }, (_, index) =>
    world.filer.writeFile(fileOf(`${index}`, noise(20_000))),
  );
  const results = await Promise.all(writes);
  expect(results.filter((result) => result.kind === "ok").length).toBe(10);
  const refusals = results.filter((result) => result.kind === "refused");
  expect(new Set(refusals.map((result) => result.refusal))).toEqual(new Set(["quota-exceeded"]));
  const usage = { bytes: 200_000, entries: 10, chunks: 10 };
  expect((await world.filer.getTree(TREE))?.usage).toEqual(usage);
  expect(world.volumes.needleCount).toBe(10);
  expect((await world.filer.writeFile(fileOf("5 bytes", noise(5)))).kind).toBe("ok");
  expect((await world.filer.writeFile(fileOf("1 more", noise(1)))).kind).toBe("refused");
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});

test("a full tree still takes what does not make it larger", async () => {
  using world = await openTreeWorld();
  await write(world, "a", noise(100));
  await world.filer.setQuota(TREE, { bytes: 10 });
  expect((await world.filer.writeFile(fileOf("a", noise(99)))).kind).toBe("ok");
  expect((await world.filer.writeFile(fileOf("a", noise(100)))).kind).toBe("refused");
});

test("a body over the quota is refused before all of it is stored", async () => {
  using world = await openTreeWorld();
  await world.filer.setQuota(TREE, { bytes: 3 * MIB });
  let given = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (; given < 1000; given += 1) yield noise(MIB);
  }
  const result = await world.filer.writeFile(fileOf("a", endless()));
  expect(result).toEqual({ kind: "refused", refusal: "quota-exceeded" });
  expect(given < 10).toBe(true);
  expect(world.volumes.needleCount).toBe(0);
});

test("changed attributes keep the content and get a position of their own", async () => {
  using world = await openTreeWorld();
  const old = await write(world, "a", noise(MIB));
  const result = await world.filer.setEntryAttributes(TREE, pathOf("a"), {
    attributes: { colour: "red" },
    condition: { kind: "etag", etags: [old.etag] },
  });
  if (result.kind === "refused") throw new Error("refused");
  const { position } = result.value;
  expect(position > old.position).toBe(true);
  expect(await get(world, "a")).toEqual({ ...old, attributes: { colour: "red" }, position });
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});

test("a rename keeps chunks and frees those of the replaced entry", async () => {
  using world = await openTreeWorld();
  const moved = await write(world, "a", noise(MIB));
  await write(world, "b", noise(3 * MIB));
  await world.filer.renameEntry(TREE, pathOf("a"), pathOf("b"));
  expect((await get(world, "b")).content).toEqual(moved.content);
  await world.filer.collect({ graceMs: 0 });
  expect(world.volumes.needleCount).toBe(1);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});

test("a prefix rename moves all or nothing", async () => {
  using world = await openTreeWorld();
  const { filer } = world;
  for (const path of ["a/1", "a/2", "b/2"]) await write(world, path, noise(1));
  expect(await filer.renamePrefix(TREE, "a/", "b/")).toEqual({
    kind: "refused",
    refusal: "target-exists",
  });
  const tooLong = "x".repeat(ENTRY_PATH_BYTES_MAX);
  expect(await codeOf(filer.renamePrefix(TREE, "a/", tooLong))).toBe("invalid-path");
  expect(await filer.renamePrefix(TREE, "a/", "a/a/")).toEqual({ kind: "ok", value: { moved: 2 } });
  const page = await filer.listEntries(TREE, { limit: 10 });
  if (page.kind === "refused") throw new Error(page.refusal);
  expect(page.value.items.map((item) => (item.kind === "entry" ? item.path : ""))).toEqual([
    "a/a/1",
    "a/a/2",
    "b/2",
  ]);
});

test("a large prefix rename into, above or beside itself is refused", async () => {
  using world = await openTreeWorld();
  await Promise.all(Array.from({ length: 101 }, (_, index) => write(world, `a${index}`, noise(1))));
  await write(world, "b7", noise(1));
  const refusalOf = async (source: string, target: string): Promise<unknown> => {
    const result = await world.filer.renamePrefix(TREE, source, target);
    return result.kind === "refused" ? result.refusal : "ok";
  };
  expect(await refusalOf("a", "ab")).toBe("too-many");
  expect(await refusalOf("", "x")).toBe("too-many");
  expect(await refusalOf("a", "b")).toBe("target-exists");
  expect(await codeOf(world.filer.renamePrefix(TREE, "a", "c".repeat(1024)))).toBe("invalid-path");
  expect((await world.filer.listEntries(TREE, { limit: 1000 })).kind).toBe("ok");
});

test("a tree with entries is not deleted; an empty one goes with its uploads", async () => {
  using world = await openTreeWorld();
  const { filer } = world;
  await write(world, "a", noise(1));
  expect(await filer.deleteTree(TREE)).toEqual({ kind: "refused", refusal: "not-empty" });
  await filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  const upload = await filer.createUpload({
    tree: TREE,
    path: pathOf("u"),
    owner: "ada",
    attributes: {},
  });
  if (upload.kind === "refused") throw new Error(upload.refusal);
  await filer.writePart({
    tree: TREE,
    id: upload.value.id,
    number: 1,
    body: noise(MIB),
    describe: () => ({ attributes: {} }),
  });
  expect((await filer.deleteTree(TREE)).kind).toBe("ok");
  expect(await filer.deleteTree(TREE)).toEqual({ kind: "refused", refusal: "no-such-tree" });
  await filer.collect({ graceMs: 0 });
  expect(world.volumes.needleCount).toBe(0);
  expect(await Array.fromAsync(filer.check())).toEqual([]);
});

test("every commit is a change, in order, and none comes twice", async () => {
  using world = await openTreeWorld();
  const { filer } = world;
  const { position } = await write(world, "a", noise(2));
  await filer.renameEntry(TREE, pathOf("a"), pathOf("b"));
  await filer.deleteEntry({ tree: TREE, path: pathOf("nothing") });
  const changes = await filer.readChanges({ after: 0, limit: 100 });
  expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    "create-tree ",
    "put a",
    "rename a",
  ]);
  const later = await filer.readChanges({ after: position, limit: 1 });
  expect(later).toEqual(changes.slice(2, 3));
  expect(later[0]?.target).toBe("b");
});
