import { expect, test } from "bun:test";
import { CHUNK_SIZE_BYTES, type Fid, needleId, volumeId } from "@kelp/wire";
import {
  type FilerWorld,
  MemoryVolumeError,
  TREE,
  codeOf,
  fileOf,
  noise,
  openTreeWorld,
  pathOf,
  write,
} from "../testing/index.ts";

const MIB = 1024 * 1024;

async function chunkOf(world: FilerWorld, path: string): Promise<Fid> {
  const { content } = await write(world, path, noise(MIB));
  const chunk = content.kind === "chunks" ? content.chunks[0] : undefined;
  if (chunk === undefined) throw new Error("a chunk is wanted");
  return chunk.fid;
}

test("the check names lost, short, corrupt and ownerless needles", async () => {
  using world = await openTreeWorld();
  const lost = await chunkOf(world, "lost");
  const short = await chunkOf(world, "short");
  const corrupt = await chunkOf(world, "corrupt");
  await chunkOf(world, "whole");
  const orphan = { volumeId: volumeId(1), needleId: needleId(77n), cookie: 5 };
  await world.volumes.append(orphan, noise(9));
  world.volumes.lose(lost);
  world.volumes.truncate(short);
  world.volumes.corrupt(corrupt);
  expect(await Array.fromAsync(world.filer.check())).toEqual([
    {
      kind: "corrupt-needle",
      volumeId: volumeId(1),
      needleId: corrupt.needleId,
      reason: "checksum",
    },
    { kind: "orphan-needle", fid: orphan, sizeBytes: 9, isRemoved: false },
    { kind: "missing-chunk", fid: lost },
    { kind: "size-differs", fid: short, namedBytes: MIB, storedBytes: MIB - 1 },
  ]);
});

test("a volume that cannot be read is named with what it holds, and the check goes on", async () => {
  using world = await openTreeWorld();
  await chunkOf(world, "a");
  await chunkOf(world, "b");
  world.volumes.scan = () => {
    throw Object.assign(new Error("Cannot use volume 1"), { code: "volume-failed" });
  };
  expect(await Array.fromAsync(world.filer.check())).toEqual([
    {
      kind: "unreadable-volume",
      volumeId: volumeId(1),
      namedCount: 2,
      reason: "Cannot use volume 1",
    },
  ]);
});

test("a damaged needle that nothing names is debris in the filer's volumes, and damage in others", async () => {
  using world = await openTreeWorld();
  await chunkOf(world, "kept");
  const torn = { volumeId: volumeId(1), needleId: needleId(77n), cookie: 5 };
  await world.volumes.append(torn, noise(9));
  world.volumes.corrupt(torn);
  const debris = { kind: "debris", volumeId: volumeId(1), needleId: torn.needleId, recordBytes: 9 };
  const found = async (orphans: "report" | "remove") =>
    Array.fromAsync(world.filer.check({ orphans }));
  expect(await found("report")).toEqual([{ ...debris, isRemoved: false }] as never);
  const { collection } = world.volumes;
  world.volumes.collection = "of somebody else";
  expect(await found("remove")).toMatchObject([
    { kind: "shared-volume" },
    { kind: "corrupt-needle" },
  ]);
  world.volumes.collection = collection;
  expect(await found("remove")).toEqual([{ ...debris, isRemoved: true }] as never);
  expect(await found("report")).toEqual([]);
});

test("a damaged needle that waits to be freed, or is on its way, is not called debris", async () => {
  using world = await openTreeWorld();
  const freed = await chunkOf(world, "freed");
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("freed") });
  world.volumes.corrupt(freed);
  expect(await Array.fromAsync(world.filer.check({ orphans: "remove" }))).toMatchObject([
    { kind: "corrupt-needle", needleId: freed.needleId },
  ]);
  expect(world.volumes.needleCount).toBe(1);
  await world.filer.collect({ graceMs: 0 });
  expect(world.volumes.needleCount).toBe(0);
});

test("the check removes ownerless needles only when told to", async () => {
  using world = await openTreeWorld();
  await chunkOf(world, "kept");
  const orphan = { volumeId: volumeId(1), needleId: needleId(77n), cookie: 5 };
  await world.volumes.append(orphan, noise(9));
  await Array.fromAsync(world.filer.check());
  expect(world.volumes.needleCount).toBe(2);
  await Array.fromAsync(world.filer.check({ orphans: "remove" }));
  expect(world.volumes.needleCount).toBe(1);
});

test("damage is found in volumes that the filer alone does not write to", async () => {
  using world = await openTreeWorld();
  const corrupt = await chunkOf(world, "corrupt");
  const lost = await chunkOf(world, "lost");
  world.volumes.corrupt(corrupt);
  world.volumes.lose(lost);
  world.volumes.collection = "";
  expect(await Array.fromAsync(world.filer.check())).toMatchObject([
    { kind: "shared-volume", collection: "", namedCount: 2 },
    { kind: "corrupt-needle", needleId: corrupt.needleId },
    { kind: "missing-chunk", fid: lost },
  ]);
});

test("chunks of running writes and queued garbage are no orphans", async () => {
  using world = await openTreeWorld();
  await write(world, "a", noise(3 * MIB));
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  let findings: unknown[] = ["not run"];
  const result = await world.filer.writeFile({
    ...fileOf("b", noise(3 * MIB)),
    describe: () => ({ attributes: {} }),
    body: (async function* checkedMidway() {
      yield noise(5 * MIB);
      findings = await Array.fromAsync(world.filer.check({ orphans: "remove" }));
      yield noise(5 * MIB);
    })(),
  });
  expect(result.kind).toBe("ok");
  expect(findings).toEqual([]);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});

test("damage in the store itself is found: counters and references", async () => {
  using world = await openTreeWorld();
  const fid = await chunkOf(world, "a");
  world.database.execute(
    "DELETE FROM chunk_refs; UPDATE entries SET size_bytes = size_bytes + 1, sum = NULL",
  );
  const kinds = (await Array.fromAsync(world.filer.check())).map((finding) => finding.kind);
  expect(kinds).toEqual([
    "unreferenced-chunk",
    "content-size-differs",
    "reference-count-differs",
    "usage-differs",
  ]);
  // It is named still.
  await Array.fromAsync(world.filer.check({ orphans: "remove" }));
  expect(world.volumes.needleCount).toBe(1);
  expect(fid.needleId).toBe(needleId(1n));
});

test("collection keeps chunks that something still names, and what a reader holds", async () => {
  using world = await openTreeWorld();
  const entry = await write(world, "a", noise(5 * MIB));
  const stream = world.filer.readFile(entry)[Symbol.asyncIterator]();
  await stream.next();
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  expect(await world.filer.collect({ graceMs: 0 })).toMatchObject({
    heldRows: 1,
    removedChunks: 0,
  });
  expect((await stream.next()).done).toBe(false);
  await stream.return?.();
  expect((await world.filer.collect({ graceMs: 0 })).removedChunks).toBe(3);

  await write(world, "b", noise(MIB));
  world.database.execute(
    "INSERT INTO garbage (freed_ms, chunks) SELECT 0, bytes FROM contents ORDER BY id DESC LIMIT 1",
  );
  expect(await world.filer.collect({ graceMs: 0 })).toMatchObject({
    referencedChunks: 1,
    removedChunks: 0,
  });
  expect(world.volumes.needleCount).toBe(1);
});

test("a needle too damaged to be removed holds up no other garbage", async () => {
  using world = await openTreeWorld();
  const damaged = await chunkOf(world, "a");
  for (const path of ["b", "c"]) await chunkOf(world, path);
  for (const path of ["a", "b", "c"]) {
    await world.filer.deleteEntry({ tree: TREE, path: pathOf(path) });
  }
  const remove = world.volumes.remove.bind(world.volumes);
  world.volumes.remove = async (fids) => {
    if (fids.some(({ needleId: id }) => id === damaged.needleId)) {
      throw Object.assign(new Error("another record stands there"), { code: "needle-corrupt" });
    }
    await remove(fids);
  };
  await world.filer.collect({ graceMs: 0 });
  expect(world.volumes.needleCount).toBe(1);
  expect(await world.filer.collect({ graceMs: 0 })).toMatchObject({
    removedChunks: 0,
    heldRows: 0,
  });
  // A sweep comes by it again.
  expect(await Array.fromAsync(world.filer.check())).toMatchObject([{ kind: "orphan-needle" }]);
});

test("garbage whose removal fails stays queued", async () => {
  using world = await openTreeWorld();
  await write(world, "a", noise(MIB));
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  const failure = new Error("no answer");
  world.volumes.beforeRemove = () => {
    throw failure;
  };
  expect(await codeOf(world.filer.collect({ graceMs: 0 }))).toBe(failure);
  world.volumes.beforeRemove = () => undefined;
  expect((await world.filer.collect({ graceMs: 0 })).removedChunks).toBe(1);
});

/** Eleven chunks, three manifests of them, one of those. */
const SHORT_LISTS = { lists: { recordsMax: 2, manifestRecordsMax: 4 } };

test("what a freed manifest lists is no orphan while a volume refuses to let it go", async () => {
  using world = await openTreeWorld(SHORT_LISTS);
  await write(world, "long", noise(10 * CHUNK_SIZE_BYTES + 5));
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("long") });
  const remove = world.volumes.remove.bind(world.volumes);
  world.volumes.remove = async () => {
    throw new MemoryVolumeError("read-only");
  };
  expect(await codeOf(world.filer.collect({ graceMs: 0 }))).toBe("read-only");
  const stored = world.volumes.needleCount;
  expect(stored).toBe(15);
  for (const orphans of ["report", "remove"] as const) {
    expect(await Array.fromAsync(world.filer.check({ orphans }))).toEqual([]);
  }
  world.volumes.remove = remove;
  world.clock.advance(60 * 60_000);
  while ((await world.filer.collect({ graceMs: 0 })).hasMore) continue;
  expect([world.volumes.needleCount, await Array.fromAsync(world.filer.check())]).toEqual([0, []]);
});

test("garbage that is freed and forgotten while the check passes is no orphan", async () => {
  using world = await openTreeWorld();
  await chunkOf(world, "kept");
  await chunkOf(world, "freed");
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("freed") });
  const scan = world.volumes.scan.bind(world.volumes);
  world.volumes.scan = async function* (id) {
    const passed = await Array.fromAsync(scan(id));
    expect(passed).toHaveLength(2);
    await world.filer.collect({ graceMs: 0 });
    yield* passed;
  };
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});
