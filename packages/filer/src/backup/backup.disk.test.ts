import { expect, test } from "bun:test";
import { systemHashes } from "@kelp/base/platform";
import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import { fill, openBackupRig, stateOf } from "../testing/backup-rig.ts";
import { codeOf, noise, read, write } from "../testing/index.ts";
import { backupIds } from "./manifest.ts";
import { packIds } from "./pack.ts";
import { pruneBackups } from "./prune-backups.ts";

test("a restored store equals the source, and passes the check", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const before = await stateOf(rig.source.world);
  const { manifest } = await rig.source.backUp(rig.target);
  expect(manifest).toMatchObject({ chunkCount: 4, damagedCount: 0 });
  await rig.source.verify(rig.target);
  using restored = await rig.source.restore(rig.target);
  expect(await stateOf(restored)).toEqual(before);
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
  // Its addresses may come again with other content: to backups it is another store.
  expect(restored.filer.storeId()).not.toBe(rig.source.world.filer.storeId());
});

test("each backup is a state of its own, and copies only what is new", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const first = await rig.source.backUp(rig.target);
  const state = await stateOf(rig.source.world);
  const again = await rig.source.backUp(rig.target);
  expect({ chunks: again.copiedChunks, bytes: again.copiedBytes }).toEqual({ chunks: 0, bytes: 0 });
  await write(rig.source.world, "chunks", noise(60_000));
  await write(rig.source.world, "new", noise(70_000));
  const third = await rig.source.backUp(rig.target);
  expect(third.copiedChunks).toBe(2);
  // Two chunks and the blocks of a small database; not the 4 MiB that stand there.
  expect(third.copiedBytes).toBeLessThan(400_000);
  expect(third.manifest.position).toBeGreaterThan(first.manifest.position);
  using old = await rig.source.restore(rig.target, first.manifest.id);
  expect(await stateOf(old)).toEqual(state);
  using newest = await rig.source.restore(rig.target);
  expect(await stateOf(newest)).toEqual(await stateOf(rig.source.world));
});

test("garbage is not restored, so nothing of it is freed twice", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  await write(rig.source.world, "one-chunk", noise(50_001));
  await rig.source.backUp(rig.target);
  using restored = await rig.source.restore(rig.target);
  const collected = await restored.filer.collect({ graceMs: -1 });
  expect(collected.removedChunks).toBe(0);
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
});

test("a chunk that the source has lost is told, and does not keep the rest from being saved", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const entry = await write(rig.source.world, "lost", noise(40_000));
  const chunk = entry.content.kind === "chunks" ? entry.content.chunks[0] : undefined;
  if (chunk === undefined) throw new Error("the entry has a chunk");
  rig.source.world.volumes.lose(chunk.fid);
  const { manifest } = await rig.source.backUp(rig.target);
  expect(manifest).toMatchObject({ chunkCount: 5, damagedCount: 1 });
  expect(manifest.damaged[0]?.reason).toBe("no volume holds it");
  await rig.source.verify(rig.target);
  using restored = await rig.source.restore(rig.target);
  expect(await codeOf(read(restored, "lost"))).toBe("chunk-missing");
  expect(
    Buffer.from((await read(restored, "chunks")) ?? []).equals(noise(CHUNK_SIZE_BYTES * 2 + 9)),
  ).toBe(true);
});

test("pruning keeps the newest backups of the store and every pack that any backup needs", async () => {
  using rig = await openBackupRig();
  using other = await openBackupRig();
  await fill(rig);
  await fill(other);
  await other.source.backUp(rig.target);
  for (let round = 0; round < 4; round += 1) {
    await write(rig.source.world, "changing", noise(50_000 + round));
    await rig.source.backUp(rig.target);
  }
  const before = await packIds(rig.target);
  const storeId = rig.source.world.filer.storeId();
  const report = await pruneBackups(rig.target, { storeId, keepCount: 2 }, systemHashes);
  expect(report.removedBackups).toBe(2);
  expect(report.removedPacks).toBeGreaterThan(0);
  expect((await packIds(rig.target)).length).toBe(before.length - report.removedPacks);
  const ids = await backupIds(rig.target);
  expect(ids).toHaveLength(3);
  for (const id of ids) await rig.source.verify(rig.target, id);
});
