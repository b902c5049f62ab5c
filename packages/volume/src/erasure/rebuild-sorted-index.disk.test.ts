import { expect, test } from "bun:test";
import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { must, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { rebuildIndexes } from "../store/rebuild-indexes.ts";
import {
  ErasureWorld,
  SIZES,
  SMALL_BLOCKS,
  SMALL_SHAPE,
  allReadable,
} from "../testing/erasure-world.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { ONE, fid } from "../testing/volume-world.ts";
import type { IndexRebuild } from "../volume/rebuild-index.ts";
import { encodeVolume } from "./encode.ts";
import { checkErasure } from "./scrub-shards.ts";

const FAST = { bytesPerSec: 1e12 };

/** Volume 1 as shards, with needles removed afterwards. */
async function encoded(world: ErasureWorld, removed: readonly number[] = []): Promise<void> {
  {
    await using open = await world.open();
    await encodeVolume(open.context, ONE, open.slot, { ...SMALL_SHAPE, ...FAST });
  }
  await using open = await world.open();
  for (const id of removed) await open.volume.remove(fid(id));
}

function rebuild(world: ErasureWorld): Promise<IndexRebuild[]> {
  const deps = { disk: systemDisk, clock: systemClock, hashes: systemHashes, log: silentLog };
  const { folders } = world;
  return Array.fromAsync(rebuildIndexes({ ...deps, folders, shardBlocks: SMALL_BLOCKS }));
}

async function readAll(world: ErasureWorld): Promise<Map<number, string>> {
  await using open = await world.open();
  return await open.readAll();
}

/** For each copy of the sorted index whether it holds these bytes. */
function copiesLike(world: ErasureWorld, bytes: Uint8Array): boolean[] {
  return world.files(".ecx").map((path) => readFileSync(path).equals(bytes));
}

const LOST: readonly (readonly string[])[] = [[], [".ec00", ".ec02"], [".ec01", ".ec04"]];

test.each(LOST)(
  "a sorted index of which no copy is left is made of the shards, also without %s %s",
  async (...shards) => {
    using world = new ErasureWorld();
    await encoded(world, [1, 21]);
    const before = world.read(".ecx");
    for (const end of [".ecx", ...shards]) world.remove(end);
    expect(await codeOf(readAll(world))).toBe("index-corrupt");
    const [made, ...others] = await rebuild(world);
    expect(others).toEqual([]);
    expect(made).toMatchObject({
      kind: "rebuilt",
      volumeId: ONE,
      result: { damagedCount: 0, recalledCount: 0, distrust: expect.stringContaining("no sorted") },
    });
    expect(copiesLike(world, before)).toEqual([true, true, true]);
    expect(await readAll(world)).toEqual(allReadable([1, 21]));
  },
);

test("without checksums and the length of the volume file it is the same", async () => {
  using world = new ErasureWorld();
  await encoded(world, [2]);
  const before = world.read(".ecx");
  for (const end of [".ecx", ".ecsum"]) world.remove(end);
  for (const path of world.files(".vif")) {
    const { datFileSize: _size, ...rest } = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify(rest));
  }
  expect(await rebuild(world)).toMatchObject([{ kind: "rebuilt", result: { damagedCount: 0 } }]);
  expect(world.read(".ecx")).toEqual(before);
  expect(await readAll(world)).toEqual(allReadable([2]));
});

test("a flipped bit in a shard is read around meanwhile", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  const before = world.read(".ecx");
  world.flip(".ec00", 600);
  world.flip(".ec01", 1200);
  world.remove(".ecx");
  expect(await rebuild(world)).toMatchObject([{ kind: "rebuilt", result: { damagedCount: 0 } }]);
  expect(world.read(".ecx")).toEqual(before);
});

test("removals marked in an index that is cut off still hold", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  for (const path of world.files(".ecx")) {
    const bytes = readFileSync(path);
    // As SeaweedFS marks them: the size of the third entry, which is needle 4, is -1.
    bytes.writeInt32BE(-1, 2 * 16 + 12);
    writeFileSync(path, bytes);
    truncateSync(path, bytes.length - 5);
  }
  for (const path of world.files(".ecj")) truncateSync(path);
  const [made] = await rebuild(world);
  expect(made).toMatchObject({ kind: "rebuilt", result: { recalledCount: 1 } });
  expect(await readAll(world)).toEqual(allReadable([4]));
});

test("a copy that is whole is given to the folders that have none, and stays as it is", async () => {
  using world = new ErasureWorld();
  await encoded(world, [5]);
  const [first = "", second = "", third = ""] = world.files(".ecx");
  const before = readFileSync(second);
  truncateSync(third, 16);
  await systemDisk.remove(first);
  const [made] = await rebuild(world);
  expect(made).toMatchObject({ kind: "rebuilt", result: { liveCount: SIZES.length - 2 } });
  expect(copiesLike(world, before)).toEqual([true, true, true]);
  expect(await readAll(world)).toEqual(allReadable([5]));
  expect(await rebuild(world)).toEqual([]);
});

test("a folder that is away does not keep the others from it", async () => {
  using world = new ErasureWorld();
  await encoded(world, [6]);
  world.remove(".ecx");
  const [folder = ""] = world.folders;
  renameSync(folder, `${folder}.gone`);
  const [made] = await rebuild(world);
  expect(made).toMatchObject({ kind: "rebuilt", result: { damagedCount: 0 } });
  renameSync(`${folder}.gone`, folder);
  expect(await rebuild(world)).toMatchObject([
    { result: { distrust: expect.stringContaining("1 ") } },
  ]);
  expect(await readAll(world)).toEqual(allReadable([6]));
});

test("too few shards to read are told, and nothing is written", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  for (const end of [".ecx", ".ec00", ".ec01", ".ec02"]) world.remove(end);
  expect(await rebuild(world)).toMatchObject([
    { kind: "failed", error: { code: "too-few-shards" } },
  ]);
  expect(world.files(".ecx")).toEqual([]);
});

type Change = (info: Record<string, unknown>) => string | undefined;

const DAMAGE: readonly (readonly [name: string, change: Change])[] = [
  ["no JSON", () => "{"],
  ["of another length", (info) => JSON.stringify({ ...info, datFileSize: "99999999" })],
  [
    "of other numbers of shards",
    (info) => JSON.stringify({ ...info, ecShardConfig: { dataShards: 7, parityShards: 2 } }),
  ],
  ["missing", () => undefined],
];

function damageInfo(paths: readonly string[], change: Change): void {
  for (const path of paths) {
    const text = change(JSON.parse(readFileSync(path, "utf8")));
    if (text === undefined) rmSync(path);
    else writeFileSync(path, text);
  }
}

test.each(DAMAGE)(
  "information files that are all damaged (%s) are made of what the checksums say",
  async (_name, change) => {
    using world = new ErasureWorld();
    await encoded(world, [2]);
    const count = world.files(".vif").length;
    damageInfo(world.files(".vif"), change);
    expect(await rebuild(world)).toMatchObject([
      {
        kind: "rebuilt",
        result: { distrust: expect.stringContaining(`${count} of its information files`) },
      },
    ]);
    expect(world.files(".vif")).toHaveLength(count);
    expect(await readAll(world)).toEqual(allReadable([2]));
    await using open = await world.open();
    expect(await checkErasure(open.context, ONE, open.volume, FAST)).toEqual([]);
    expect(await rebuild(world)).toEqual([]);
  },
);

test.each(DAMAGE)(
  "an information file that is damaged (%s) is the other folder's again, though neither is in the majority",
  async (_name, change) => {
    using world = new ErasureWorld();
    await encoded(world);
    const before = world.read(".vif");
    const [first, ...others] = world.files(".vif");
    damageInfo(others, change);
    expect(await rebuild(world)).toHaveLength(1);
    for (const path of [must(first), ...others])
      expect(readFileSync(path).equals(before)).toBe(true);
  },
);

test("information files that fit and differ are left as they are", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  const [first] = world.files(".vif");
  damageInfo([must(first)], (info) => JSON.stringify({ ...info, expireAtSec: "5" }));
  const texts = world.files(".vif").map((path) => readFileSync(path, "utf8"));
  expect(await rebuild(world)).toEqual([]);
  expect(world.files(".vif").map((path) => readFileSync(path, "utf8"))).toEqual(texts);
});
