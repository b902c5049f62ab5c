import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { must } from "@kelp/base";
import { SeededRandom } from "@kelp/base/testing";
import { ErasureWorld, SMALL_SHAPE, allReadable } from "../testing/erasure-world.ts";
import { ONE, fid } from "../testing/volume-world.ts";
import { encodeVolume } from "./encode.ts";
import { checkErasure, scrubErasure } from "./scrub-shards.ts";

const FAST = { bytesPerSec: 1e12 };
/** Bits flipped in files of each kind, one at a time. */
const FLIPS: readonly (readonly [part: string, count: number])[] = [
  [".ec0", 220],
  [".ecx", 60],
  [".ecsum", 60],
  [".vif", 80],
];
const TEST_MS_MAX = 60_000;

type Files = ReadonlyMap<string, Buffer>;

/** Volume 1 as shards, and all its files. */
async function encode(world: ErasureWorld): Promise<Files> {
  await using open = await world.open();
  await encodeVolume(open.context, ONE, open.slot, { ...SMALL_SHAPE, ...FAST });
  return new Map(world.files().map((path) => [path, readFileSync(path)]));
}

/** A random bit of a random file whose name has the part. */
function flipOne(files: Files, part: string, random: SeededRandom): string {
  const path = random.pick([...files.keys()].filter((each) => each.includes(`/1${part}`)));
  const bytes = Buffer.from(must(files.get(path)));
  const at = random.below(bytes.length);
  const bit = random.below(8);
  bytes[at] = must(bytes[at]) ^ (1 << bit);
  writeFileSync(path, bytes);
  return `${path.split("/").slice(-2).join("/")}, byte ${at}, bit ${bit}`;
}

/** Names of the files that are not as they were, which are put back. */
function restore(files: Files): string[] {
  const changed = [...files].filter(([path, bytes]) => !readFileSync(path).equals(bytes));
  for (const [path, bytes] of changed) writeFileSync(path, bytes);
  return changed.map(([path]) => path);
}

describe("one flipped bit", () => {
  test.each(FLIPS)(
    "in a file %s gives right bytes, and one scrub finds and mends it: %i of them",
    async (part, count) => {
      using world = new ErasureWorld();
      const files = await encode(world);
      const random = new SeededRandom(count);
      for (let flip = 0; flip < count; flip += 1) {
        const where = flipOne(files, part, random);
        {
          await using open = await world.open();
          expect([where, await open.readAll()]).toEqual([where, allReadable()]);
          const { repaired, damaged } = await scrubErasure(open.context, ONE, open.slot, FAST);
          expect([where, repaired.length, damaged]).toEqual([where, 1, []]);
          expect(await checkErasure(open.context, ONE, open.volume, FAST)).toEqual([]);
          expect([where, await open.readAll()]).toEqual([where, allReadable()]);
        }
        expect([where, restore(files)]).toEqual([where, []]);
      }
    },
    TEST_MS_MAX,
  );

  test("is found by a check, which changes nothing", async () => {
    using world = new ErasureWorld();
    const files = await encode(world);
    const random = new SeededRandom(1);
    for (const [part] of FLIPS) {
      for (let flip = 0; flip < 10; flip += 1) {
        const where = flipOne(files, part, random);
        {
          await using open = await world.open();
          const found = await checkErasure(open.context, ONE, open.volume, FAST);
          expect([where, found.length]).toEqual([where, 1]);
        }
        expect([where, restore(files).length]).toEqual([where, 1]);
      }
    }
  });

  test("in the only copy is an error or found, and never other bytes", async () => {
    using world = new ErasureWorld(1);
    const files = await encode(world);
    const random = new SeededRandom(2);
    for (let flip = 0; flip < 120; flip += 1) {
      const part = random.pick([".ecx", ".ecsum"]);
      const where = flipOne(files, part, random);
      try {
        await using open = await world.open();
        expect([where, await open.readAll()]).toEqual([where, allReadable()]);
        const { damaged } = await scrubErasure(open.context, ONE, open.slot, FAST);
        expect([where, damaged.length]).toEqual([where, 1]);
      } catch (error) {
        expect([where, error]).toMatchObject([where, { code: "index-corrupt" }]);
      }
      restore(files);
    }
  });
});

test("flipped bits in as many shards as there is parity, and in all files beside some, are mended by one scrub", async () => {
  using world = new ErasureWorld();
  const files = await encode(world);
  const random = new SeededRandom(3);
  for (let round = 0; round < 40; round += 1) {
    const shards = new Set<number>();
    while (shards.size < 2) shards.add(random.below(5));
    const parts = [...[...shards].map((shard) => `.ec0${shard}`), ".ecx", ".ecsum", ".vif"];
    const where = parts.map((part) => flipOne(files, part, random)).join("; ");
    {
      await using open = await world.open();
      expect([where, await open.readAll()]).toEqual([where, allReadable()]);
      const { repaired, damaged } = await scrubErasure(open.context, ONE, open.slot, FAST);
      expect([where, repaired.length >= parts.length, damaged]).toEqual([where, true, []]);
    }
    expect([where, restore(files)]).toEqual([where, []]);
  }
}, 60_000);

test("a flipped cookie is told from one that was never there, by a reader and by a removal", async () => {
  using world = new ErasureWorld();
  await encode(world);
  const damaged = (): void => {
    // The cookie of needle 1, behind the superblock.
    world.flip(".ec00", 8);
  };
  damaged();
  {
    await using open = await world.open();
    expect(await open.volume.read(fid(1, 0x99))).toBeUndefined();
    expect(await open.volume.read(fid(2, 0x99))).toBeUndefined();
    expect(await open.readAll()).toEqual(allReadable());
    await scrubErasure(open.context, ONE, open.slot, FAST);
  }
  damaged();
  await using open = await world.open();
  await open.volume.remove(fid(1));
  expect(await open.readAll()).toEqual(allReadable([1]));
});

test.each([".ecx", ".ecsum", ".vif"])(
  "a file %s that is gone from one folder is told by a check, and a scrub puts it there again",
  async (end) => {
    using world = new ErasureWorld();
    const files = await encode(world);
    const [path] = world.files(end);
    rmSync(must(path));
    {
      await using open = await world.open();
      const found = await checkErasure(open.context, ONE, open.volume, FAST);
      expect(found).toMatchObject([{ what: `1${end}`, reason: "it is missing" }]);
      const { repaired, damaged } = await scrubErasure(open.context, ONE, open.slot, FAST);
      expect({ repaired, damaged }).toMatchObject({ repaired: [{ what: `1${end}` }], damaged: [] });
    }
    expect(restore(files)).toEqual([]);
  },
);

test.each([".ecx", ".ecsum"])(
  "files %s that are gone from every folder are written again from what the open volume has of them",
  async (end) => {
    using world = new ErasureWorld();
    const files = await encode(world);
    {
      await using open = await world.open();
      world.remove(end);
      const count = files.size - world.files().length;
      expect(count).toBeGreaterThan(1);
      const { repaired, damaged } = await scrubErasure(open.context, ONE, open.slot, FAST);
      expect({ count: repaired.length, damaged }).toEqual({ count, damaged: [] });
      expect(await open.readAll()).toEqual(allReadable());
    }
    expect(restore(files)).toEqual([]);
  },
);

test("an open index that is damaged itself makes no other good", async () => {
  using world = new ErasureWorld();
  await encode(world);
  await using open = await world.open();
  const [kept, ...others] = world.files(".ecx");
  for (const path of others) rmSync(path);
  const bytes = readFileSync(must(kept));
  bytes[5] = must(bytes[5]) ^ 1;
  writeFileSync(must(kept), bytes);
  const { repaired, damaged } = await scrubErasure(open.context, ONE, open.slot, FAST);
  expect(repaired).toEqual([]);
  expect(damaged.filter(({ what }) => what === "1.ecx")).toHaveLength(others.length + 1);
});
