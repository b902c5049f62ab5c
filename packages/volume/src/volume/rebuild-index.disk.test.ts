import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { FaultyDisk } from "@kelp/base/testing";
import { CHECKPOINT_CLOSE_CHANGES_MIN } from "../limits.ts";
import { rebuildIndexes } from "../store/rebuild-indexes.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { VolumeWorld, content, fid, readPlain } from "../testing/volume-world.ts";
import type { IndexRebuild } from "./rebuild-index.ts";

/** Records of 100 bytes of data: 16 + (4 + 100 + 1) + 12 = 133, padded to 136. */
const RECORD = 136;
const SUPERBLOCK = 8;

async function rebuild(world: VolumeWorld, disk = systemDisk): Promise<IndexRebuild[]> {
  const options = { disk, clock: systemClock, hashes: systemHashes, log: silentLog };
  return await Array.fromAsync(rebuildIndexes({ ...options, folders: [world.folder] }));
}

/** Needles 1 to 4 of 100 bytes; 2 is removed and 1 replaced. */
async function withHistory(world: VolumeWorld): Promise<void> {
  await using store = await world.open();
  for (const id of [1, 2, 3, 4]) await store.append(fid(id), content(id, 100));
  await store.remove([fid(2)]);
  await store.append(fid(1), content(11, 100));
}

test("an index made anew from a sound volume is the one that was there", async () => {
  using world = new VolumeWorld();
  await withHistory(world);
  const before = [world.index(), world.data()];
  expect(await rebuild(world)).toEqual([
    {
      volumeId: fid(1).volumeId,
      collection: "",
      kind: "rebuilt",
      result: {
        liveCount: 3,
        damagedCount: 0,
        recalledCount: 0,
        distrust: undefined,
        differenceCount: 0,
        differences: [],
      },
    },
  ]);
  expect([world.index(), world.data()]).toEqual(before);
  expect(readdirSync(world.folder).sort()).toEqual(["1.dat", "1.idx"]);
});

test.each([
  ["a lost entry", (index: Buffer) => index.fill(index.subarray(0, 16), 32, 48), [["missing", 3n]]],
  ["a lost removal", (index: Buffer) => index.fill(index.subarray(0, 16), 64, 80), [["extra", 2n]]],
  ["another place", (index: Buffer) => index.fill(index.subarray(56, 60), 40, 44), [["moved", 3n]]],
  [
    "a needle that is not there",
    (index: Buffer) => index.fill(9, 48, 56),
    [
      ["missing", 4n],
      ["extra", 0x0909_0909_0909_0909n],
    ],
  ],
  [
    "another volume",
    (index: Buffer) => index.fill(9, 80, 88),
    [
      ["missing", 1n],
      ["missing", 3n],
      ["missing", 4n],
    ],
  ],
])("an index file with %s is replaced, and the difference told", async (_name, spoil, expected) => {
  using world = new VolumeWorld();
  await withHistory(world);
  const good = world.index();
  world.spoilIndex(spoil);
  const [rebuilt] = await rebuild(world);
  if (rebuilt?.kind !== "rebuilt") throw new Error("the index is rebuilt");
  const { differences, differenceCount } = rebuilt.result;
  expect(differences.map((each) => [each.kind, each.needleId])).toEqual(expected as never);
  expect(differenceCount).toBe(expected.length);
  expect(world.index()).toEqual(good);
});

test("an index file that is missing is made, and that is told", async () => {
  using world = new VolumeWorld();
  await withHistory(world);
  const good = world.index();
  rmSync(world.indexPath);
  expect(await rebuild(world)).toMatchObject([
    { result: { distrust: "there was no index file", differenceCount: 3 } },
  ]);
  expect(world.index()).toEqual(good);
});

test.each([
  ["the data of the last record", SUPERBLOCK + 5 * RECORD + 32 + 40, 1],
  ["the header of a record in the middle", SUPERBLOCK + 2 * RECORD + 12, 3],
])("a needle of which %s is damaged stays known as corrupt", async (_name, at, id) => {
  using world = new VolumeWorld();
  {
    await using store = await world.open();
    for (const each of [2, 4, 3, 5, 6]) await store.append(fid(each), content(each, 100));
    await store.remove([fid(6)]);
    await store.append(fid(1), content(1, 100));
  }
  world.spoilData((data) => data.fill(0xff, at, at + 4));
  const spoilt = world.data();
  const index = world.index();
  expect(await rebuild(world)).toMatchObject([
    { kind: "rebuilt", result: { liveCount: 5, recalledCount: 1, differenceCount: 0 } },
  ]);
  expect(world.data()).toEqual(spoilt);
  expect(world.index()).toEqual(index);
  await using store = await world.open();
  expect(await codeOf(store.read(fid(id)))).toBe("needle-corrupt");
  expect(await readPlain(store, fid(5))).toEqual([...content(5, 100)]);
});

test("a needle whose tombstone cannot be read stays removed", async () => {
  using world = new VolumeWorld();
  await withHistory(world);
  const tombstone = SUPERBLOCK + 4 * RECORD;
  world.spoilData((data) => data.fill(0xff, tombstone, tombstone + 32));
  expect(await rebuild(world)).toMatchObject([
    { result: { liveCount: 3, recalledCount: 1, differenceCount: 0 } },
  ]);
  await using store = await world.open();
  expect(await store.read(fid(2))).toBeUndefined();
  expect(await readPlain(store, fid(1))).toEqual([...content(11, 100)]);
});

test("an append that never finished is cut off", async () => {
  using world = new VolumeWorld();
  await withHistory(world);
  const good = world.data();
  world.spoilData((data) => Buffer.concat([data, data.subarray(SUPERBLOCK, SUPERBLOCK + 100)]));
  await rebuild(world);
  expect(world.data()).toEqual(good);
});

test("when the disk refuses, the earlier index stays", async () => {
  using world = new VolumeWorld();
  await withHistory(world);
  const before = world.index();
  for (const spoil of [
    (disk: FaultyDisk) => (disk.writesUntilFailure = 1),
    (disk: FaultyDisk) => (disk.spaceBytes = 20),
    (disk: FaultyDisk) => (disk.syncsUntilFailure = 1),
  ]) {
    const disk = new FaultyDisk(systemDisk);
    disk.onlyPathEnd = ".idx.tmp";
    spoil(disk);
    expect(await rebuild(world, disk)).toMatchObject([{ kind: "failed" }]);
    expect(world.index()).toEqual(before);
    expect(readdirSync(world.folder).sort()).toEqual(["1.dat", "1.idx"]);
  }
});

test("a volume that cannot be read keeps no other from it", async () => {
  using world = new VolumeWorld();
  await withHistory(world);
  writeFileSync(`${world.folder}/pictures_7.dat`, Buffer.alloc(100));
  expect(await rebuild(world)).toMatchObject([
    { kind: "rebuilt", collection: "" },
    { kind: "failed", collection: "pictures", volumeId: 7 },
  ]);
});

test("a checkpoint is made anew with the index", async () => {
  using world = new VolumeWorld();
  const count = CHECKPOINT_CLOSE_CHANGES_MIN;
  {
    await using store = await world.open();
    for (let from = 1; from <= count; from += 4096) {
      const ids = Array.from({ length: 4096 }, (_, at) => from + at);
      await Promise.all(ids.map((id) => store.append(fid(id), new Uint8Array(0))));
    }
  }
  writeFileSync(`${world.folder}/1.kix`, "no checkpoint");
  expect(await rebuild(world)).toMatchObject([
    { result: { liveCount: count, distrust: "its header is damaged", differenceCount: 0 } },
  ]);
  const disk = new FaultyDisk(systemDisk);
  disk.onlyPathEnd = ".idx";
  expect(existsSync(`${world.folder}/1.kix`)).toBe(true);
  await using store = await world.open({ disk });
  expect(disk.readBytes).toBeLessThan(5000);
  expect((await store.volumes())[0]?.liveCount).toBe(count);
});
