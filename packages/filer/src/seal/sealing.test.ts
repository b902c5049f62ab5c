import { expect, test } from "bun:test";
import { openDatabase } from "@kelp/base/platform";
import { CHUNK_SIZE_BYTES, type Entry } from "@kelp/wire";
import {
  type FilerWorld,
  TREE,
  codeOf,
  fileOf,
  get,
  noise,
  openFilerWorld,
  openSealedWorld,
  pathOf,
  pieces,
  read,
  write,
} from "../testing/index.ts";

const MARK = "the colour of the sea";

async function sealedWorld(
  options: Parameters<typeof openSealedWorld>[0] = {},
): Promise<FilerWorld> {
  const world = await openSealedWorld(options);
  await world.filer.createTree({
    name: TREE,
    kind: "bucket",
    owner: "ada",
    attributes: { policy: MARK },
  });
  return world;
}

function bytesEqual(left: Uint8Array | undefined, right: Uint8Array): boolean {
  return left !== undefined && Buffer.from(left).equals(right);
}

/** All that the tables hold, as text with bytes as Latin-1. */
function everyValue(world: FilerWorld): string {
  const tables = world.database
    .prepare<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all();
  return tables
    .flatMap(({ name }) =>
      world.database.prepare<Record<string, unknown>>(`SELECT * FROM "${name}"`).all(),
    )
    .flatMap((row) => Object.values(row))
    .map((value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value),
    )
    .join("\n");
}

test("content of every size comes back, whole and streamed, and adds up", async () => {
  using world = await sealedWorld();
  const sizes = [0, 1, 100, 16_384, 16_385, 300_000, CHUNK_SIZE_BYTES, CHUNK_SIZE_BYTES * 2 + 7];
  for (const sizeBytes of sizes) {
    const body = noise(sizeBytes);
    await write(world, `whole-${sizeBytes}`, body);
    await write(world, `stream-${sizeBytes}`, pieces(body, 70_000));
    expect(bytesEqual(await read(world, `whole-${sizeBytes}`), body)).toBe(true);
    expect(bytesEqual(await read(world, `stream-${sizeBytes}`), body)).toBe(true);
  }
  const total = sizes.reduce((sum, size) => sum + size, 0) * 2;
  expect((await world.filer.getTree(TREE))?.usage.bytes).toBe(total);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});

test("a range is read from the middle of sealed chunks, also in lent memory", async () => {
  using world = await sealedWorld();
  const body = noise(CHUNK_SIZE_BYTES * 3);
  const entry = await write(world, "a", pieces(body, 100_000));
  const range = { start: CHUNK_SIZE_BYTES - 5, end: CHUNK_SIZE_BYTES * 2 + 5 };
  const found: Uint8Array[] = [];
  for await (const piece of world.filer.readFile(entry, range, { pieces: "lent" })) {
    found.push(piece.slice());
  }
  expect(bytesEqual(Buffer.concat(found), body.subarray(range.start, range.end))).toBe(true);
});

test("neither database nor volumes hold a value in clear", async () => {
  using world = await sealedWorld();
  const { filer } = world;
  const text = new TextEncoder().encode(MARK.repeat(2000));
  const describe = (): { attributes: { colour: string } } => ({ attributes: { colour: MARK } });
  await filer.writeFile({ ...fileOf("inline", text.subarray(0, 500)), describe });
  await filer.writeFile({ ...fileOf("chunks", text), describe });
  const upload = await filer.createUpload({
    tree: TREE,
    path: pathOf("upload"),
    owner: "ada",
    attributes: { colour: MARK },
  });
  if (upload.kind === "refused") throw new Error(upload.refusal);
  const { id } = upload.value;
  await filer.writePart({ tree: TREE, id, number: 1, body: text, describe });
  const volumeId = (await world.volumes.volumes())[0]?.id;
  expect(volumeId).toBeDefined();
  expect(everyValue(world)).not.toContain("colour");
  for (const data of world.volumes.contents()) {
    expect(Buffer.from(data).includes("colour")).toBe(false);
  }
  // The check is not blind: what is not sealed is found by it.
  using plain = openFilerWorld();
  await plain.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
  await plain.filer.writeFile({ ...fileOf("inline", text.subarray(0, 500)), describe });
  expect(everyValue(plain)).toContain("colour");
});

test("trees, entries, uploads and parts give back their attributes, by every call", async () => {
  using world = await sealedWorld();
  const { filer } = world;
  const attributes = { colour: MARK, "content-type": "text/plain" };
  const described = { attributes, etag: "abc" };
  const entry = await filer.writeFile({
    ...fileOf("a", noise(10)),
    describe: () => described,
  });
  const attributesOf = (result: typeof entry): unknown =>
    result.kind === "ok" ? result.value.attributes : result.refusal;
  expect(attributesOf(entry)).toEqual(attributes);
  const renamed = await filer.renameEntry(TREE, pathOf("a"), pathOf("b/a"));
  expect(renamed.kind === "ok" && renamed.value.attributes).toEqual(attributes);
  await filer.renamePrefix(TREE, "b/", "c/");
  expect((await get(world, "c/a")).attributes).toEqual(attributes);
  expect(bytesEqual(await read(world, "c/a"), noise(10))).toBe(true);
  const changed = await filer.setEntryAttributes(TREE, pathOf("c/a"), {
    attributes: { colour: "red" },
    condition: { kind: "etag", etags: ["abc"] },
  });
  expect(changed.kind === "ok" && changed.value.attributes).toEqual({ colour: "red" });
  expect(bytesEqual(await read(world, "c/a"), noise(10))).toBe(true);

  await filer.setQuota(TREE, { bytes: 1_000_000_000 });
  expect((await filer.getTree(TREE))?.attributes).toEqual({ policy: MARK });
  await filer.setTreeAttributes(TREE, { policy: "other" });
  expect((await filer.listTrees()).map((tree) => tree.attributes)).toEqual([{ policy: "other" }]);

  const upload = await filer.createUpload({
    tree: TREE,
    path: pathOf("u"),
    owner: "ada",
    attributes,
  });
  if (upload.kind === "refused") throw new Error(upload.refusal);
  expect(upload.value.attributes).toEqual(attributes);
  const { id } = upload.value;
  const page = await filer.listUploads(TREE, { limit: 5 });
  const items = page.kind === "ok" ? page.value.items : [];
  expect(items[0]?.kind === "upload" && items[0].upload.attributes).toEqual(attributes);
  const body = noise(20_000);
  await filer.writePart({ tree: TREE, id, number: 1, body, describe: () => described });
  const parts = await filer.listParts(TREE, id, { afterNumber: 0, limit: 5 });
  expect(parts.kind === "ok" && parts.value.parts[0]?.attributes).toEqual(attributes);
  const seen: unknown[] = [];
  const completed = await filer.completeUpload({
    tree: TREE,
    id,
    parts: [{ number: 1, etag: "abc" }],
    partBytesMin: 1,
    describe: (chosen, of) => {
      seen.push(chosen[0]?.attributes, of.attributes);
      return { etag: "abc-1", attributes };
    },
  });
  expect(seen).toEqual([attributes, attributes]);
  expect(completed.kind === "ok" && completed.value.attributes).toEqual(attributes);
  expect(bytesEqual(await read(world, "u"), body)).toBe(true);
});

test("a needle of another chunk, of the same size, is corruption", async () => {
  using world = await sealedWorld();
  const first = chunkOf(await write(world, "a", noise(50_000)));
  const second = chunkOf(await write(world, "b", noise(50_000)));
  world.volumes.exchange(first.fid, second.fid);
  expect(await codeOf(read(world, "a"))).toBe("chunk-corrupt");
  expect(await codeOf(read(world, "b"))).toBe("chunk-corrupt");
});

test("a flipped bit of a sealed chunk is corruption, also where the volume does not see it", async () => {
  using world = await sealedWorld();
  const { fid } = chunkOf(await write(world, "a", noise(50_000)));
  for (const at of [0, 11, 12, 30_000, 50_011, 50_012, 50_027]) {
    world.volumes.flip(fid, at);
    expect(await codeOf(read(world, "a"))).toBe("chunk-corrupt");
    world.volumes.flip(fid, at);
  }
  expect(bytesEqual(await read(world, "a"), noise(50_000))).toBe(true);
});

test("values that stand in another's place are corruption", async () => {
  using world = await sealedWorld({ hotBytesMax: 0 });
  const { database } = world;
  await write(world, "a", noise(10));
  await write(world, "b", noise(11).slice(1));
  const ids = database
    .prepare<{ id: number; bytes: Uint8Array }>("SELECT id, bytes FROM contents ORDER BY id")
    .all();
  const [first, second] = ids;
  if (first === undefined || second === undefined) throw new Error("two contents are there");
  const update = database.prepare("UPDATE contents SET bytes = ? WHERE id = ?");
  update.run(second.bytes, first.id);
  expect(await codeOf(read(world, "a"))).toBe("entry-corrupt");
  update.run(first.bytes, first.id);
  const tree = database.prepare<{ attributes: string }>("SELECT attributes FROM trees").get();
  database
    .prepare("UPDATE entries SET attributes = ? WHERE path = 'a'")
    .run(tree?.attributes ?? "");
  expect(await codeOf(read(world, "a"))).toBe("entry-corrupt");
});

test("what was written before sealing was turned on stays readable, what comes after is sealed", async () => {
  using database = openDatabase(":memory:");
  const before = openFilerWorld({ database });
  await before.filer.createTree({
    name: TREE,
    kind: "bucket",
    owner: "ada",
    attributes: { policy: "old" },
  });
  await write(before, "small", noise(10));
  await write(before, "large", noise(40_000));
  before.filer[Symbol.dispose]();
  const { volumes } = before;
  using world = await openSealedWorld({ database, volumes, master: volumes });
  expect((await world.filer.getTree(TREE))?.attributes).toEqual({ policy: "old" });
  expect(bytesEqual(await read(world, "small"), noise(10))).toBe(true);
  expect(bytesEqual(await read(world, "large"), noise(40_000))).toBe(true);
  await write(world, "small", noise(12));
  const entry = await write(world, "large", noise(40_001));
  expect(chunkOf(entry).sealedKey).toBeDefined();
  expect(bytesEqual(await read(world, "small"), noise(12))).toBe(true);
  expect(bytesEqual(await read(world, "large"), noise(40_001))).toBe(true);
});

test("a sealed chunk in a store without keys is an error, not a crash and not ciphertext", async () => {
  using database = openDatabase(":memory:");
  const sealed = await openSealedWorld({ database });
  await sealed.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
  await write(sealed, "a", noise(40_000));
  sealed.filer[Symbol.dispose]();
  const { volumes } = sealed;
  const world = openFilerWorld({ database, volumes, master: volumes });
  expect(await codeOf(read(world, "a"))).toBe("chunk-corrupt");
});

function chunkOf(
  entry: Entry,
): NonNullable<Extract<Entry["content"], { kind: "chunks" }>["chunks"][number]> {
  const chunk = entry.content.kind === "chunks" ? entry.content.chunks[0] : undefined;
  if (chunk === undefined) throw new Error("the entry has a chunk");
  return chunk;
}
