import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { FilerOptions } from "../filer.ts";
import { systemDisk, systemHashes } from "@kelp/base/platform";
import { FaultyDisk, temporaryFolder } from "@kelp/base/testing";
import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import {
  BackupWorld,
  type FilerWorld,
  TREE,
  codeOf,
  noise,
  pathOf,
  read,
  write,
} from "../testing/index.ts";
import { encodeChecked } from "./checked-text.ts";
import { FolderTarget } from "./folder-target.ts";
import { type BackupManifest, backupIds } from "./manifest.ts";
import { type PackIndex, packIds, readPackIndex } from "./pack.ts";
import { pruneBackups } from "./prune-backups.ts";

interface Rig extends Disposable {
  readonly source: BackupWorld;
  readonly target: FolderTarget;
  readonly disk: FaultyDisk;
  readonly path: string;
}

async function rig(options: Partial<FilerOptions> = {}): Promise<Rig> {
  const folder = temporaryFolder();
  const other = temporaryFolder();
  const source = new BackupWorld(folder.path, options);
  await source.start();
  const disk = new FaultyDisk(systemDisk);
  const path = join(other.path, "target");
  return {
    source,
    target: new FolderTarget(disk, path),
    disk,
    path,
    [Symbol.dispose]() {
      source[Symbol.dispose]();
      other[Symbol.dispose]();
    },
  };
}

/** Every entry with all that it says and holds. */
async function stateOf(world: FilerWorld): Promise<unknown> {
  const page = await world.filer.listEntries(TREE, { limit: 1000 });
  const items = page.kind === "ok" ? page.value.items : [];
  const entries = await Promise.all(
    items.map(async (item) => ({
      item,
      hash: Bun.hash((item.kind === "entry" && (await read(world, item.path))) || ""),
    })),
  );
  return { entries, tree: await world.filer.getTree(TREE) };
}

async function fill({ source }: Rig): Promise<void> {
  await write(source.world, "small", noise(100));
  await write(source.world, "one-chunk", noise(50_000));
  await write(source.world, "chunks", noise(CHUNK_SIZE_BYTES * 2 + 9));
}

function filesOf(path: string, end: string): string[] {
  return readdirSync(join(path, "packs"))
    .filter((name) => name.endsWith(end))
    .map((name) => join(path, "packs", name));
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

test("a restored store equals the source, and passes the check", async () => {
  using it = await rig();
  await fill(it);
  const before = await stateOf(it.source.world);
  const { manifest } = await it.source.backUp(it.target);
  expect(manifest).toMatchObject({ chunkCount: 4, damagedCount: 0 });
  await it.source.verify(it.target);
  using restored = await it.source.restore(it.target);
  expect(await stateOf(restored)).toEqual(before);
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
  // Its addresses may come again with other content: to backups it is another store.
  expect(restored.filer.storeId()).not.toBe(it.source.world.filer.storeId());
});

test("each backup is a state of its own, and copies only what is new", async () => {
  using it = await rig();
  await fill(it);
  const first = await it.source.backUp(it.target);
  const state = await stateOf(it.source.world);
  const again = await it.source.backUp(it.target);
  expect({ chunks: again.copiedChunks, bytes: again.copiedBytes }).toEqual({ chunks: 0, bytes: 0 });
  await write(it.source.world, "chunks", noise(60_000));
  await write(it.source.world, "new", noise(70_000));
  const third = await it.source.backUp(it.target);
  expect(third.copiedChunks).toBe(2);
  // Two chunks and the blocks of a small database; not the 4 MiB that stand there.
  expect(third.copiedBytes).toBeLessThan(400_000);
  expect(third.manifest.position).toBeGreaterThan(first.manifest.position);
  using old = await it.source.restore(it.target, first.manifest.id);
  expect(await stateOf(old)).toEqual(state);
  using newest = await it.source.restore(it.target);
  expect(await stateOf(newest)).toEqual(await stateOf(it.source.world));
});

test("garbage is not restored, so nothing of it is freed twice", async () => {
  using it = await rig();
  await fill(it);
  await write(it.source.world, "one-chunk", noise(50_001));
  await it.source.backUp(it.target);
  using restored = await it.source.restore(it.target);
  const collected = await restored.filer.collect({ graceMs: -1 });
  expect(collected.removedChunks).toBe(0);
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
});

test("while something is held nothing is freed, and afterwards all that is due", async () => {
  using it = await rig();
  await fill(it);
  const { filer } = it.source.world;
  const held = await filer.hold();
  await write(it.source.world, "one-chunk", noise(50_001));
  expect((await filer.collect({ graceMs: -1 })).removedChunks).toBe(0);
  const second = await filer.hold();
  held?.[Symbol.dispose]();
  held?.[Symbol.dispose]();
  expect((await filer.collect({ graceMs: -1 })).removedChunks).toBe(0);
  second?.[Symbol.dispose]();
  expect((await filer.collect({ graceMs: -1 })).removedChunks).toBe(1);
  const holds = await Promise.all(Array.from({ length: 9 }, () => filer.hold()));
  expect(holds.map((hold) => hold !== undefined)).toEqual([...Array(8).fill(true), false]);
});

/** Lists so short that eleven chunks make two levels of manifests. */
const SHORT_LISTS = { lists: { recordsMax: 2, manifestRecordsMax: 4 } };
const LONG_BODY = noise(10 * CHUNK_SIZE_BYTES + 5);

test("what a manifest lists that waits to be freed is freed in a restored store, as in the source", async () => {
  using it = await rig(SHORT_LISTS);
  await write(it.source.world, "deleted", LONG_BODY);
  await write(it.source.world, "replaced", LONG_BODY);
  await fill(it);
  await it.source.world.filer.deleteEntry({ tree: TREE, path: pathOf("deleted") });
  await write(it.source.world, "replaced", noise(9));
  expect((await it.source.backUp(it.target)).manifest.damagedCount).toBe(0);
  await it.source.verify(it.target);
  using restored = await it.source.restore(it.target);
  expect(await stateOf(restored)).toEqual(await stateOf(it.source.world));
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
  while ((await restored.filer.collect({ graceMs: -1 })).hasMore) continue;
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
  // What `fill` wrote: four chunks, and the list of three of them.
  expect(restored.volumes.needleCount).toBe(5);
});

test("manifests that are freed while a backup copies are in it, with all that they list", async () => {
  using it = await rig(SHORT_LISTS);
  const { filer, volumes } = it.source.world;
  await write(it.source.world, "deleted", LONG_BODY);
  await write(it.source.world, "replaced", LONG_BODY);
  const before = await stateOf(it.source.world);
  using _held = await filer.hold();
  const freeing = Promise.withResolvers<void>();
  it.source.beforeRead = async (count) => {
    if (count > 1) return freeing.promise;
    await filer.deleteEntry({ tree: TREE, path: pathOf("deleted") });
    await write(it.source.world, "replaced", noise(9));
    expect((await filer.collect({ graceMs: -1 })).removedChunks).toBe(0);
    freeing.resolve();
  };
  expect((await it.source.backUp(it.target)).manifest.damagedCount).toBe(0);
  using restored = await it.source.restore(it.target);
  expect(await stateOf(restored)).toEqual(before);
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
  expect(volumes.needleCount).toBeGreaterThan(20);
});

test("a backup that begins while garbage is freed names nothing that goes under it", async () => {
  using it = await rig(SHORT_LISTS);
  const { filer, volumes } = it.source.world;
  await write(it.source.world, "deleted", LONG_BODY);
  await fill(it);
  await filer.deleteEntry({ tree: TREE, path: pathOf("deleted") });
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const remove = volumes.remove.bind(volumes);
  volumes.remove = async (fids) => {
    begun.resolve();
    await gate.promise;
    await remove(fids);
  };
  const round = filer.collect({ graceMs: -1 });
  await begun.promise;
  it.source.beforeRead = (count) => {
    // For a hold that was there at once: the round goes on under the backup.
    if (count === 1) gate.resolve();
    return round.then(() => undefined);
  };
  let isHeld = false;
  const holding = filer.hold().then(async (held) => {
    using _held = held;
    isHeld = true;
    return await it.source.backUp(it.target);
  });
  await new Promise((resolve) => setImmediate(resolve));
  if (!isHeld) gate.resolve();
  expect((await holding).manifest.damagedCount).toBe(0);
  using restored = await it.source.restore(it.target);
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
});

test("a backup that ends in the middle makes none, and the next one goes on from there", async () => {
  using it = await rig();
  for (let number = 0; number < 40; number += 1) {
    await write(it.source.world, `chunk-${number}`, noise(CHUNK_SIZE_BYTES));
  }
  // Beyond one pack, so that something is durable when it ends.
  it.source.beforeRead = (count) => {
    if (count === 38) throw new Error("the source is gone");
  };
  expect(await it.source.backUp(it.target).catch((error: Error) => error.message)).toBe(
    "the source is gone",
  );
  expect(await backupIds(it.target)).toEqual([]);
  expect(await codeOf(it.source.restore(it.target))).toBe("no-such-backup");
  it.source.beforeRead = () => undefined;
  const report = await it.source.backUp(it.target);
  expect(report.copiedChunks).toBeLessThan(10);
  expect(report.manifest.chunkCount).toBe(40);
  await it.source.verify(it.target);
  using restored = await it.source.restore(it.target);
  expect(await stateOf(restored)).toEqual(await stateOf(it.source.world));
});

test("what a killed write left in the target disturbs nobody", async () => {
  using it = await rig();
  await fill(it);
  await it.source.backUp(it.target);
  writeFileSync(join(it.path, "packs", "0123456789abcdef0123456789abcdef.pack"), "half");
  writeFileSync(join(it.path, "packs", "0123456789abcdef0123456789abcdef.json.tmp"), "half");
  await write(it.source.world, "new", noise(70_000));
  await it.source.backUp(it.target);
  await it.source.verify(it.target);
  await pruneBackups(
    it.target,
    { storeId: it.source.world.filer.storeId(), keepCount: 1 },
    systemHashes,
  );
  await it.source.verify(it.target);
});

test("a full target ends the backup, leaves earlier ones whole, and takes the next when there is space", async () => {
  using it = await rig();
  await fill(it);
  const first = await it.source.backUp(it.target);
  await write(it.source.world, "new", noise(CHUNK_SIZE_BYTES));
  it.disk.spaceBytes = 1_000_000;
  expect(await codeOf(it.source.backUp(it.target))).toBe("target-full");
  expect(await backupIds(it.target)).toEqual([first.manifest.id]);
  expect(filesOf(it.path, ".tmp")).toEqual([]);
  await it.source.verify(it.target);
  it.disk.spaceBytes = Number.POSITIVE_INFINITY;
  await it.source.backUp(it.target);
  using restored = await it.source.restore(it.target);
  expect(await stateOf(restored)).toEqual(await stateOf(it.source.world));
});

test("a write or a sync that fails, at any place, never leaves a backup that is not whole", async () => {
  using it = await rig();
  await fill(it);
  for (let failing = 1; ; failing += 1) {
    it.disk.syncsUntilFailure = failing;
    const outcome = await it.source.backUp(it.target).then(
      () => "made",
      (error: unknown) => error,
    );
    it.disk.syncsUntilFailure = Number.POSITIVE_INFINITY;
    for (const id of await backupIds(it.target).catch(() => [])) {
      await it.source.verify(it.target, id);
    }
    if (outcome === "made") break;
    expect(outcome).toMatchObject({ code: "target-failed" });
    expect(failing).toBeLessThan(20);
  }
  expect(await backupIds(it.target)).toHaveLength(1);
});

test("any flipped bit or torn piece is found by verification and by restoring", async () => {
  using it = await rig();
  await fill(it);
  const { manifest } = await it.source.backUp(it.target);
  const files = [
    ...filesOf(it.path, ".pack"),
    ...filesOf(it.path, ".json"),
    join(it.path, "backups", `${manifest.id}.json`),
    join(it.path, "kelp-backup.json"),
  ];
  for (const file of files) {
    const whole = readFileSync(file);
    for (const part of [0, 0.3, 0.6, 0.999]) {
      flip(file, Math.floor(part * whole.length));
      expect(await codeOf(it.source.verify(it.target))).toBe("backup-damaged");
      expect(await codeOf(it.source.restore(it.target))).toBe("backup-damaged");
      writeFileSync(file, whole);
    }
    truncateSync(file, whole.length - 1);
    expect(await codeOf(it.source.verify(it.target))).toBe("backup-damaged");
    expect(await codeOf(it.source.restore(it.target))).toBe("backup-damaged");
    writeFileSync(file, whole);
  }
  for (const file of filesOf(it.path, "")) {
    const whole = readFileSync(file);
    rmSync(file);
    expect(await codeOf(it.source.verify(it.target))).toBe("backup-damaged");
    expect(await codeOf(it.source.restore(it.target))).toBe("backup-damaged");
    writeFileSync(file, whole);
  }
  await it.source.verify(it.target);
}, 20_000);

test("a manifest that names files elsewhere is refused", async () => {
  using it = await rig();
  await fill(it);
  const { manifest } = await it.source.backUp(it.target);
  for (const name of ["../filer.db", "/etc/passwd", "a/b", "..", ""]) {
    const forged = { ...manifest, databases: [{ ...manifest.databases[0], name }] };
    await it.target.write(`backups/${manifest.id}.json`, encodeChecked(forged, systemHashes));
    expect(await codeOf(it.source.restore(it.target))).toBe("backup-damaged");
  }
});

test("a manifest that calls itself otherwise is refused, and pruning removes nothing by its word", async () => {
  using it = await rig();
  await fill(it);
  const victim = join(it.path, "..", "victim.json");
  writeFileSync(victim, "kept");
  const first = (await it.source.backUp(it.target)).manifest;
  await it.source.backUp(it.target);
  for (const id of ["../../victim", "x", undefined, 7]) {
    const forged = encodeChecked({ ...first, id }, systemHashes);
    await it.target.write(`backups/${first.id}.json`, forged);
    expect(await codeOf(it.source.restore(it.target, first.id))).toBe("backup-damaged");
    const { storeId } = first;
    expect(await codeOf(pruneBackups(it.target, { storeId, keepCount: 1 }, systemHashes))).toBe(
      "backup-damaged",
    );
  }
  expect(readFileSync(victim, "utf8")).toBe("kept");
});

test.each<[string, (manifest: BackupManifest) => unknown]>([
  ["packs elsewhere", ({ packs }) => ({ packs: [...packs, "../../victim"] })],
  ["a pack that is no text", () => ({ packs: [7] })],
  ["a pack twice", ({ packs }) => ({ packs: [...packs, ...packs] })],
  ["no packs", () => ({ packs: null })],
  [
    "fewer blocks than the size takes",
    ({ databases: [one] }) => ({ databases: [{ ...one, blocks: [] }] }),
  ],
  [
    "a size beyond all numbers",
    ({ databases: [one] }) => ({ databases: [{ ...one, sizeBytes: 2 ** 60 }] }),
  ],
  ["a negative size", ({ databases: [one] }) => ({ databases: [{ ...one, sizeBytes: -1 }] })],
  ["no files", () => ({ files: undefined })],
])("a manifest with %s is damage, not a crash", async (_, change) => {
  using it = await rig();
  await fill(it);
  const { manifest } = await it.source.backUp(it.target);
  const forged = encodeChecked({ ...manifest, ...(change(manifest) as object) }, systemHashes);
  await it.target.write(`backups/${manifest.id}.json`, forged);
  expect(await codeOf(it.source.restore(it.target))).toBe("backup-damaged");
  expect(await codeOf(it.source.verify(it.target))).toBe("backup-damaged");
});

test.each<[string, (index: PackIndex) => unknown]>([
  ["calls itself otherwise", () => ({ id: "../../victim" })],
  ["counts otherwise than its blobs", ({ sizeBytes }) => ({ sizeBytes: sizeBytes + 1 })],
  [
    "has a blob that goes backwards",
    ({ blobs }) => ({ blobs: [...blobs, { ...blobs[0], sizeBytes: -1 }] }),
  ],
  [
    "gives one block for another",
    ({ blobs }) => ({
      blobs: blobs.map((blob) =>
        blob.key.startsWith("block ") ? { ...blob, key: `block ${"0".repeat(64)}` } : blob,
      ),
    }),
  ],
])("an index that %s is damage, not a crash", async (_, change) => {
  using it = await rig();
  await fill(it);
  const { manifest } = await it.source.backUp(it.target);
  for (const id of manifest.packs) {
    const index = await readPackIndex(it.target, id, systemHashes);
    const forged = encodeChecked({ ...index, ...(change(index) as object) }, systemHashes);
    await it.target.write(`packs/${id}.json`, forged);
  }
  expect(await codeOf(it.source.restore(it.target))).toBe("backup-damaged");
});

test("links that somebody left in a target lead no write elsewhere", async () => {
  using it = await rig();
  await fill(it);
  const victim = join(it.path, "..", "victim");
  writeFileSync(victim, "kept");
  mkdirSync(it.path);
  symlinkSync(victim, join(it.path, "kelp-backup.json.tmp"));
  const nowhere = join(it.path, "..", "nowhere");
  symlinkSync(nowhere, join(it.path, "dangling.tmp"));
  await it.source.backUp(it.target);
  await it.target.write("dangling", new Uint8Array(1));
  expect([readFileSync(victim, "utf8"), existsSync(nowhere)]).toEqual(["kept", false]);
  await it.source.verify(it.target);
});

test("a block that has another content than its name says is refused", async () => {
  using it = await rig();
  await fill(it);
  const { manifest } = await it.source.backUp(it.target);
  const [database] = manifest.databases;
  const forgedBlock = "0".repeat(64);
  const [real] = database?.blocks ?? [];
  const blocks = database?.blocks.map((block) => (block === real ? forgedBlock : block));
  await it.target.write(
    `backups/${manifest.id}.json`,
    encodeChecked({ ...manifest, databases: [{ ...database, blocks }] }, systemHashes),
  );
  for (const id of manifest.packs) {
    const index = await readPackIndex(it.target, id, systemHashes);
    const blobs = index.blobs.map((blob) =>
      blob.key === `block ${real}` ? { ...blob, key: `block ${forgedBlock}` } : blob,
    );
    await it.target.write(`packs/${id}.json`, encodeChecked({ ...index, blobs }, systemHashes));
  }
  expect(await codeOf(it.source.restore(it.target))).toBe("backup-damaged");
});

test("a chunk that the source has lost is told, and does not keep the rest from being saved", async () => {
  using it = await rig();
  await fill(it);
  const entry = await write(it.source.world, "lost", noise(40_000));
  const chunk = entry.content.kind === "chunks" ? entry.content.chunks[0] : undefined;
  if (chunk === undefined) throw new Error("the entry has a chunk");
  it.source.world.volumes.lose(chunk.fid);
  const { manifest } = await it.source.backUp(it.target);
  expect(manifest).toMatchObject({ chunkCount: 5, damagedCount: 1 });
  expect(manifest.damaged[0]?.reason).toBe("no volume holds it");
  await it.source.verify(it.target);
  using restored = await it.source.restore(it.target);
  expect(await codeOf(read(restored, "lost"))).toBe("chunk-missing");
  expect(
    Buffer.from((await read(restored, "chunks")) ?? []).equals(noise(CHUNK_SIZE_BYTES * 2 + 9)),
  ).toBe(true);
});

test("a place with other files is refused and stays as it was; so is one without backups", async () => {
  using it = await rig();
  using other = temporaryFolder();
  writeFileSync(join(other.path, "letter.txt"), "dear");
  const target = new FolderTarget(systemDisk, other.path);
  expect(await codeOf(it.source.backUp(target))).toBe("target-unusable");
  expect(readdirSync(other.path)).toEqual(["letter.txt"]);
  expect(await codeOf(it.source.verify(target))).toBe("target-unusable");
  expect(await codeOf(it.source.verify(it.target))).toBe("target-unusable");
});

test("a backup of a newer format is refused", async () => {
  using it = await rig();
  await fill(it);
  const { manifest } = await it.source.backUp(it.target);
  const name = `backups/${manifest.id}.json`;
  await it.target.write(name, encodeChecked({ ...manifest, format: 3 }, systemHashes));
  expect(await codeOf(it.source.restore(it.target))).toBe("format-unknown");
});

test("pruning keeps the newest backups of the store and every pack that any backup needs", async () => {
  using it = await rig();
  using other = await rig();
  await fill(it);
  await fill(other);
  await other.source.backUp(it.target);
  for (let round = 0; round < 4; round += 1) {
    await write(it.source.world, "changing", noise(50_000 + round));
    await it.source.backUp(it.target);
  }
  const before = await packIds(it.target);
  const storeId = it.source.world.filer.storeId();
  const report = await pruneBackups(it.target, { storeId, keepCount: 2 }, systemHashes);
  expect(report.removedBackups).toBe(2);
  expect(report.removedPacks).toBeGreaterThan(0);
  expect((await packIds(it.target)).length).toBe(before.length - report.removedPacks);
  const ids = await backupIds(it.target);
  expect(ids).toHaveLength(3);
  for (const id of ids) await it.source.verify(it.target, id);
});
