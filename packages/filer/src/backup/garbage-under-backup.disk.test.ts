import { expect, test } from "bun:test";
import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import { fill, openBackupRig, stateOf } from "../testing/backup-rig.ts";
import { TREE, noise, pathOf, write } from "../testing/index.ts";

test("while something is held nothing is freed, and afterwards all that is due", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const { filer } = rig.source.world;
  const held = await filer.hold();
  await write(rig.source.world, "one-chunk", noise(50_001));
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
  using rig = await openBackupRig(SHORT_LISTS);
  await write(rig.source.world, "deleted", LONG_BODY);
  await write(rig.source.world, "replaced", LONG_BODY);
  await fill(rig);
  await rig.source.world.filer.deleteEntry({ tree: TREE, path: pathOf("deleted") });
  await write(rig.source.world, "replaced", noise(9));
  expect((await rig.source.backUp(rig.target)).manifest.damagedCount).toBe(0);
  await rig.source.verify(rig.target);
  using restored = await rig.source.restore(rig.target);
  expect(await stateOf(restored)).toEqual(await stateOf(rig.source.world));
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
  while ((await restored.filer.collect({ graceMs: -1 })).hasMore) continue;
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
  // What `fill` wrote: four chunks, and the list of three of them.
  expect(restored.volumes.needleCount).toBe(5);
});

test("manifests that are freed while a backup copies are in it, with all that they list", async () => {
  using rig = await openBackupRig(SHORT_LISTS);
  const { filer, volumes } = rig.source.world;
  await write(rig.source.world, "deleted", LONG_BODY);
  await write(rig.source.world, "replaced", LONG_BODY);
  const before = await stateOf(rig.source.world);
  using _held = await filer.hold();
  const freeing = Promise.withResolvers<void>();
  rig.source.beforeRead = async (count) => {
    if (count > 1) return freeing.promise;
    await filer.deleteEntry({ tree: TREE, path: pathOf("deleted") });
    await write(rig.source.world, "replaced", noise(9));
    expect((await filer.collect({ graceMs: -1 })).removedChunks).toBe(0);
    freeing.resolve();
  };
  expect((await rig.source.backUp(rig.target)).manifest.damagedCount).toBe(0);
  using restored = await rig.source.restore(rig.target);
  expect(await stateOf(restored)).toEqual(before);
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
  expect(volumes.needleCount).toBeGreaterThan(20);
});

test("a backup that begins while garbage is freed names nothing that goes under it", async () => {
  using rig = await openBackupRig(SHORT_LISTS);
  const { filer, volumes } = rig.source.world;
  await write(rig.source.world, "deleted", LONG_BODY);
  await fill(rig);
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
  rig.source.beforeRead = (count) => {
    // For a hold that was there at once: the round goes on under the backup.
    if (count === 1) gate.resolve();
    return round.then(() => undefined);
  };
  let isHeld = false;
  const holding = filer.hold().then(async (held) => {
    using _held = held;
    isHeld = true;
    return await rig.source.backUp(rig.target);
  });
  await new Promise((resolve) => setImmediate(resolve));
  if (!isHeld) gate.resolve();
  expect((await holding).manifest.damagedCount).toBe(0);
  using restored = await rig.source.restore(rig.target);
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
});
