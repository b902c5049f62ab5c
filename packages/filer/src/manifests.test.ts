import { expect, test } from "bun:test";
import {
  type Chunk,
  type CompleteUpload,
  type Entry,
  type UploadId,
  CHUNK_SIZE_BYTES,
} from "@kelp/wire";
import {
  type FilerWorld,
  TREE,
  codeOf,
  get,
  noise,
  openTreeWorld,
  pathOf,
  pieces,
  read,
  write,
} from "./testing/index.ts";
import { openSealedWorld } from "./testing/sealed-world.ts";

/** Two records in a list, four in a manifest: eleven chunks make two levels. */
const LISTS = { recordsMax: 2, manifestRecordsMax: 4 };
const BODY = noise(10 * CHUNK_SIZE_BYTES + 5);

function chunksOf(entry: Entry): readonly Chunk[] {
  return entry.content.kind === "chunks" ? entry.content.chunks : [];
}

async function upload(world: FilerWorld, bodies: readonly Uint8Array[]): Promise<CompleteUpload> {
  const request = { tree: TREE, path: pathOf("joined"), owner: "ada", attributes: {} };
  const created = await world.filer.createUpload(request);
  if (created.kind === "refused") throw new Error(created.refusal);
  const { id } = created.value;
  const parts = await Promise.all(bodies.map((body, index) => part(world, id, index + 1, body)));
  const describe = () => ({ etag: "whole", attributes: {} });
  return { tree: TREE, id, parts, partBytesMin: 1, describe };
}

// oxlint-disable-next-line max-params -- the four are of four types
async function part(world: FilerWorld, id: UploadId, number: number, body: Uint8Array) {
  const describe = () => ({ attributes: {} });
  const written = await world.filer.writePart({ tree: TREE, id, number, body, describe });
  if (written.kind === "refused") throw new Error(written.refusal);
  return { number, etag: written.value.etag };
}

async function complete(world: FilerWorld, request: CompleteUpload): Promise<Entry> {
  const result = await world.filer.completeUpload(request);
  if (result.kind === "refused") throw new Error(JSON.stringify(result.refusal));
  return result.value;
}

async function settle(world: FilerWorld): Promise<void> {
  while ((await world.filer.collect({ graceMs: 0 })).hasMore) continue;
}

test("a long list is kept as manifests, is read through them, and is freed with all they list", async () => {
  using world = await openTreeWorld({ lists: LISTS });
  const entry = await write(world, "a", pieces(BODY, 700_001));
  expect(chunksOf(entry).map(({ isManifest }) => isManifest)).toEqual([true]);
  expect(entry.sizeBytes).toBe(BODY.length);
  // Eleven chunks, three manifests of them, one of those.
  expect(world.volumes.needleCount).toBe(15);
  expect(Buffer.compare((await read(world, "a")) ?? noise(1), BODY)).toBe(0);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
  await settle(world);
  expect(world.volumes.needleCount).toBe(0);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});

test("a range reads only the manifests and chunks that it touches", async () => {
  using world = await openTreeWorld({ lists: LISTS });
  const entry = await write(world, "a", pieces(BODY, 700_001));
  const range = { start: 5 * CHUNK_SIZE_BYTES - 3, end: 5 * CHUNK_SIZE_BYTES + 3 };
  const before = world.volumes.readCount;
  const found: Uint8Array[] = [];
  for await (const piece of world.filer.readFile(entry, range)) found.push(piece.slice());
  expect(Buffer.concat(found)).toEqual(Buffer.from(BODY.subarray(range.start, range.end)));
  // The upper manifest, one below, two chunks.
  expect(world.volumes.readCount - before).toBe(4);
});

test("a manifest that is damaged or lost is an error of its own, and the check names it", async () => {
  using world = await openTreeWorld({ lists: LISTS });
  const manifest = chunksOf(await write(world, "a", pieces(BODY, 700_001)))[0];
  if (manifest === undefined) throw new Error("a manifest is wanted");
  world.volumes.truncate(manifest.fid);
  expect(await codeOf(read(world, "a"))).toBe("chunk-corrupt");
  world.volumes.lose(manifest.fid);
  expect(await codeOf(read(world, "a"))).toBe("chunk-missing");
  expect(await Array.fromAsync(world.filer.check())).toEqual([
    { kind: "missing-chunk", fid: manifest.fid },
  ]);
});

test("joined parts whose lists are long together get manifests, parts with manifests among them", async () => {
  using world = await openTreeWorld({ lists: LISTS });
  const bodies = [noise(7 * CHUNK_SIZE_BYTES), noise(9), noise(10), noise(11), noise(12)];
  const request = await upload(world, bodies);
  const entry = await complete(world, request);
  expect(chunksOf(entry).length).toBeLessThanOrEqual(LISTS.recordsMax);
  expect(Buffer.compare((await read(world, "joined")) ?? noise(1), Buffer.concat(bodies))).toBe(0);
  expect(await complete(world, request)).toEqual(entry);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
  const usage = (await world.filer.getTree(TREE))?.usage;
  expect(usage).toEqual({ bytes: entry.sizeBytes, entries: 1, chunks: chunksOf(entry).length });
  await world.filer.deleteTree(TREE, { contents: "discard" });
  await settle(world);
  expect(world.volumes.needleCount).toBe(0);
});

test("a part that is replaced while its list is being folded is not lost, and no manifest stays behind", async () => {
  using world = await openTreeWorld({ lists: LISTS });
  const request = await upload(world, [noise(1), noise(2), noise(3), noise(4)]);
  let replacing = true;
  world.volumes.beforeAppend = async () => {
    if (!replacing) return;
    replacing = false;
    await part(world, request.id, 2, noise(2));
  };
  const entry = await complete(world, request);
  expect(entry.sizeBytes).toBe(10);
  expect(
    Buffer.compare(
      (await read(world, "joined")) ?? noise(1),
      Buffer.concat([noise(1), noise(2), noise(3), noise(4)]),
    ),
  ).toBe(0);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
  await settle(world);
  // Four chunks, one manifest.
  expect(world.volumes.needleCount).toBe(5);
});

test("a body of manifests that is refused or fails leaves nothing", async () => {
  using world = await openTreeWorld({ lists: LISTS });
  await write(world, "a", noise(1));
  const refusal = await world.filer
    .writeFile({
      tree: TREE,
      path: pathOf("a"),
      body: pieces(BODY, 700_001),
      describe: () => {
        throw new Error("no");
      },
    })
    .catch((error: unknown) => String(error));
  expect(refusal).toBe("Error: no");
  expect(world.volumes.needleCount).toBe(0);
  expect((await get(world, "a")).sizeBytes).toBe(1);
});

test("freeing goes on where it was interrupted, with some chunks gone and the manifest still there", async () => {
  using world = await openTreeWorld({ lists: LISTS });
  await write(world, "a", pieces(BODY, 700_001));
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  const failure = new Error("no answer");
  let removals = 0;
  world.volumes.beforeRemove = () => {
    removals += 1;
    if (removals === 2) throw failure;
  };
  expect(await codeOf(world.filer.collect({ graceMs: 0 }))).toBe(failure);
  expect(world.volumes.needleCount).toBeGreaterThan(0);
  expect(await Array.fromAsync(world.filer.check({ orphans: "report" }))).not.toContainEqual(
    expect.objectContaining({ kind: "missing-chunk" }),
  );
  await settle(world);
  expect(world.volumes.needleCount).toBe(0);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});

test("copies and snapshots share content with manifests", async () => {
  using world = await openTreeWorld({ lists: LISTS });
  await write(world, "a", pieces(BODY, 700_001));
  await world.filer.createSnapshot(TREE, "s");
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  await settle(world);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
  const old = await world.filer.getSnapshotEntry(TREE, "s", pathOf("a"));
  if (old.kind === "refused") throw new Error(old.refusal);
  const found = await Array.fromAsync(world.filer.readFile(old.value));
  expect(Buffer.compare(Buffer.concat(found), BODY)).toBe(0);
  await world.filer.deleteSnapshot(TREE, "s");
  await settle(world);
  expect(world.volumes.needleCount).toBe(0);
});

test("manifests of a sealed store are sealed, and are read, checked and freed like others", async () => {
  using world = await openSealedWorld({ lists: LISTS });
  await world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
  const entry = await write(world, "a", pieces(BODY, 700_001));
  expect(chunksOf(entry).map(({ isManifest }) => isManifest)).toEqual([true]);
  expect(chunksOf(entry)[0]?.sealedKey).toBeDefined();
  expect(Buffer.compare((await read(world, "a")) ?? noise(1), BODY)).toBe(0);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  await settle(world);
  expect(world.volumes.needleCount).toBe(0);
});
