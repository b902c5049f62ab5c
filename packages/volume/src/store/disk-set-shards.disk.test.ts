import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { type Disk, DiskError, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { ONE, TWO, TwoDisks, fid, fillBoth, statesOf } from "../testing/two-disks.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { type VolumeStore, openVolumeStore } from "./volume-store.ts";

/** Shards of a volume 1 of another store, in a folder of their own. */
async function foreignShards(folder: string, collection: string): Promise<void> {
  mkdirSync(folder);
  const world = { disk: systemDisk, clock: systemClock, hashes: systemHashes, log: silentLog };
  await using store = await openVolumeStore({ ...world, folder });
  await store.createVolume(ONE, { collection });
  await store.append({ ...fid(ONE), cookie: 99 }, Uint8Array.of(99));
  await store.setWritable(ONE, "read-only");
  await store.encodeVolume(ONE, SHAPE);
}

test.each(["c", "ec"])(
  "shards of another store, of collection %s, neither hide a volume nor are taken for its own",
  async (collection) => {
    using disks = new TwoDisks();
    await fillBoth(disks);
    const foreign = `${disks.a}/../foreign`;
    await foreignShards(foreign, collection);
    const names = readdirSync(foreign);
    for (const name of names) renameSync(`${foreign}/${name}`, `${disks.b}/${name}`);
    const shards = (): string[] => readdirSync(disks.b).filter((name) => name.includes("_1.ec"));
    const before = shards();
    expect(before.length).toBeGreaterThan(4);
    await using store = await disks.open();
    expect(await statesOf(store)).toEqual(["1 writable", "2 writable"]);
    expect([...((await store.read(fid(ONE))) ?? [])]).toEqual([1]);
    await store.setWritable(ONE, "read-only");
    if (collection === "c") {
      expect(await codeOf(store.encodeVolume(ONE, SHAPE))).toBe("volume-exists");
    }
    expect(shards()).toEqual(before);
  },
);

test("a volume keeps its id while its disk is gone, whatever turns up under it", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  renameSync(disks.b, `${disks.b}.gone`);
  const foreign = `${disks.a}/../foreign`;
  await foreignShards(foreign, "ec");
  for (const name of readdirSync(foreign)) {
    const there = name.replace("ec_1.", "ec_2.");
    renameSync(`${foreign}/${name}`, `${disks.a}/${there}`);
  }
  writeFileSync(`${disks.a}/other_2.dat`, await Bun.file(`${disks.a}/c_1.dat`).bytes());
  {
    await using store = await disks.open();
    expect(await statesOf(store)).toEqual(["1 writable", "2 missing"]);
    renameSync(`${disks.b}.gone`, disks.b);
    await store.checkDisks();
    expect([...((await store.read(fid(TWO))) ?? [])]).toEqual([2]);
  }
  await using store = await disks.open();
  expect([...((await store.read(fid(TWO))) ?? [])]).toEqual([2]);
});

const SHAPE = { dataShards: 2, parityShards: 2, bytesPerSec: 1e12 };

/** Volume 1 as shards over both folders, either of which has enough of them. */
async function encodeOverBoth(store: VolumeStore): Promise<void> {
  await store.setWritable(ONE, "read-only");
  await store.encodeVolume(ONE, SHAPE);
}

test("shards of a deleted volume do not come back with the disk that some were on", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  await using store = await disks.open();
  await encodeOverBoth(store);
  expect(readdirSync(disks.b).filter((name) => name.startsWith("c_1.ec"))).not.toEqual([]);
  renameSync(disks.b, `${disks.b}.gone`);
  await store.checkDisks();
  expect(await statesOf(store)).toEqual(["1 read-only", "2 missing"]);
  await store.deleteVolume(ONE);
  renameSync(`${disks.b}.gone`, disks.b);
  await store.checkDisks();
  expect(await statesOf(store)).toEqual(["2 writable"]);
  expect(readdirSync(disks.b).filter((name) => name.startsWith("c_1."))).toEqual([]);
});

test("nor do they after a restart, and a volume that has the id by then keeps it", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  {
    await using store = await disks.open();
    await encodeOverBoth(store);
    renameSync(disks.b, `${disks.b}.gone`);
    await store.checkDisks();
    await store.deleteVolume(ONE);
    expect(await codeOf(store.createVolume(ONE, { collection: "c" }))).toBe("volume-exists");
  }
  {
    await using store = await disks.open(systemDisk, ["a"]);
    expect(await statesOf(store)).toEqual(["2 missing"]);
  }
  renameSync(`${disks.b}.gone`, disks.b);
  await using store = await disks.open();
  expect(await statesOf(store)).toEqual(["2 writable"]);
  await store.createVolume(ONE, { collection: "c" });
  expect(await store.read(fid(ONE))).toBeUndefined();
});

test("a disk that goes while a volume is put together from shards brings no removed needle back", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const disk: Disk = {
    ...systemDisk,
    rename: async (source, target) => {
      // All was copied and compared; what comes now gives the volume file its name.
      if (source.endsWith(".restoring/c_1.dat")) {
        reached.resolve();
        await gate.promise;
      }
      await systemDisk.rename(source, target);
    },
  };
  await using store = await disks.open(disk);
  await store.append(fid(ONE, 2), Uint8Array.of(2));
  await encodeOverBoth(store);
  const decoding = codeOf(store.decodeVolume(ONE, { bytesPerSec: 1e12 }));
  await reached.promise;
  renameSync(disks.b, `${disks.b}.gone`);
  await store.checkDisks();
  const removal = await codeOf(store.remove([fid(ONE, 2)]));
  gate.resolve();
  expect([await decoding, removal]).toEqual([undefined, "read-only"]);
  expect([...((await store.read(fid(ONE, 2))) ?? [])]).toEqual([2]);
  await store.setWritable(ONE, "writable");
  await store.remove([fid(ONE, 2)]);
  renameSync(`${disks.b}.gone`, disks.b);
  await store.checkDisks();
  expect(await store.read(fid(ONE, 2))).toBeUndefined();
});

test("shards that come back during a job are used once it is over", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  let isHeld = false;
  const disk: Disk = {
    ...systemDisk,
    open: async (path, options) => {
      if (isHeld && path.includes(".restoring/")) {
        reached.resolve();
        await gate.promise;
        throw new DiskError("open", path, "EIO", "broken");
      }
      return systemDisk.open(path, options);
    },
  };
  await using store = await disks.open(disk);
  await encodeOverBoth(store);
  const missing = async (): Promise<number | undefined> => {
    const [status] = await store.volumes();
    return status?.form.kind === "erasure-coded" ? status.form.missingShards.length : undefined;
  };
  renameSync(disks.b, `${disks.b}.gone`);
  await store.checkDisks();
  expect(await missing()).toBe(2);
  isHeld = true;
  const decoding = codeOf(store.decodeVolume(ONE, { bytesPerSec: 1e12 }));
  await reached.promise;
  renameSync(`${disks.b}.gone`, disks.b);
  await store.checkDisks();
  expect(await missing()).toBe(2);
  gate.resolve();
  expect(await decoding).toBe("volume-failed");
  await store.checkDisks();
  expect(await missing()).toBe(0);
});

test.each(["while the store runs", "between two runs"])(
  "a needle that was removed while a folder was away stays removed when it is back, %s, and by that folder alone",
  async (when) => {
    using disks = new TwoDisks();
    await fillBoth(disks);
    const goneWhile = async (path: string, work: () => Promise<void>): Promise<void> => {
      renameSync(path, `${path}.gone`);
      await work();
      renameSync(`${path}.gone`, path);
    };
    {
      await using store = await disks.open();
      for (const needle of [2, 3, 4]) await store.append(fid(ONE, needle), Uint8Array.of(needle));
      await encodeOverBoth(store);
      if (when === "while the store runs") {
        await goneWhile(disks.b, async () => {
          await store.checkDisks();
          await store.remove([fid(ONE, 2)]);
        });
        await store.checkDisks();
        await goneWhile(disks.a, async () => {
          await store.checkDisks();
          await store.remove([fid(ONE, 3)]);
        });
        await store.checkDisks();
      }
    }
    if (when === "between two runs") {
      await goneWhile(disks.b, async () => {
        await using store = await disks.open();
        await store.remove([fid(ONE, 2)]);
      });
      await goneWhile(disks.a, async () => {
        await using store = await disks.open();
        // The folder that is left was away, too, when needle 2 was removed: it cannot know.
        await store.remove([fid(ONE, 3)]);
      });
      await using store = await disks.open();
      expect((await store.volumes()).map(({ state }) => state)).toEqual(["read-only", "writable"]);
    }
    for (const gone of [undefined, disks.a, disks.b]) {
      const look = async (): Promise<void> => {
        await using store = await disks.open();
        const found = await Promise.all([1, 2, 3, 4].map((needle) => store.read(fid(ONE, needle))));
        expect(found.map((bytes) => bytes?.[0])).toEqual([1, undefined, undefined, 4]);
      };
      if (gone === undefined) await look();
      else await goneWhile(gone, look);
    }
  },
);
