import { expect, test } from "bun:test";
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type Disk, DiskError } from "@kelp/base";
import { systemDisk } from "@kelp/base/platform";
import { FaultyDisk } from "@kelp/base/testing";
import { type VolumeId, volumeId } from "@kelp/wire";
import { ONE, THREE, TWO, TwoDisks, fid, fillBoth, statesOf } from "../testing/two-disks.ts";
import { codeOf } from "../testing/volume-client-contract.ts";

test("a folder that is absent at start takes only its own volumes away, by name, and brings them back", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  renameSync(disks.b, `${disks.b}.gone`);
  await using store = await disks.open();
  expect(await statesOf(store)).toEqual(["1 writable", "2 missing"]);
  expect((await store.volumes())[1]).toMatchObject({ collection: "c", disk: 1 });
  expect((await store.disks()).map(({ state }) => state)).toEqual(["ok", "failed"]);
  expect(await codeOf(store.read(fid(TWO)))).toBe("volume-missing");
  expect(await codeOf(store.append(fid(TWO), new Uint8Array(1)))).toBe("volume-missing");
  expect(await codeOf(store.createVolume(TWO, { collection: "c" }))).toBe("volume-exists");
  expect([...((await store.read(fid(ONE))) ?? [])]).toEqual([1]);
  // New volumes go to the healthy disk.
  await store.createVolume(THREE, { collection: "c" });
  expect(existsSync(`${disks.a}/c_3.dat`)).toBe(true);

  const changes: string[] = [];
  store.watchStates(({ id, state }) => changes.push(`${id} ${state}`));
  await store.checkDisks();
  expect(changes).toEqual([]);
  renameSync(`${disks.b}.gone`, disks.b);
  await store.checkDisks();
  expect(changes).toEqual(["2 writable"]);
  expect([...((await store.read(fid(TWO))) ?? [])]).toEqual([2]);
});

test("a folder that fails while it is used takes its volumes away, and gives back what was counted", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  await using store = await disks.open();
  const changes: string[] = [];
  store.watchStates(({ id, state }) => changes.push(`${id} ${state}`));
  await store.checkDisks();
  renameSync(disks.a, `${disks.a}.gone`);
  await store.checkDisks();
  await store.checkDisks();
  expect(changes).toEqual(["1 missing"]);
  expect((await store.volumes())[0]).toMatchObject({ state: "missing", liveCount: 1 });
  expect(await codeOf(store.read(fid(ONE)))).toBe("volume-missing");
  expect([...((await store.read(fid(TWO))) ?? [])]).toEqual([2]);
});

test("a volume that could not be opened is tried again when its disk comes back", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  const path = `${disks.a}/c_1.dat`;
  const good = await Bun.file(path).bytes();
  writeFileSync(path, "no volume");
  await using store = await disks.open();
  expect(await statesOf(store)).toEqual(["1 failed", "2 writable"]);
  renameSync(disks.a, `${disks.a}.gone`);
  await store.checkDisks();
  writeFileSync(`${disks.a}.gone/c_1.dat`, good);
  renameSync(`${disks.a}.gone`, disks.a);
  await store.checkDisks();
  expect(await statesOf(store)).toEqual(["1 writable", "2 writable"]);
});

test("a volume of a folder that is not given any more is served when it turns up in one that is", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  await using store = await disks.open(systemDisk, ["a"]);
  renameSync(disks.a, `${disks.a}.gone`);
  await store.checkDisks();
  renameSync(`${disks.b}/c_2.dat`, `${disks.a}.gone/c_2.dat`);
  renameSync(`${disks.a}.gone`, disks.a);
  await store.checkDisks();
  expect(await statesOf(store)).toEqual(["1 writable", "2 writable"]);
  expect([...((await store.read(fid(TWO))) ?? [])]).toEqual([2]);
});

test("volumes made at once keep to the number that a folder may have", async () => {
  using disks = new TwoDisks();
  disks.more = { a: { volumeCountMax: 2 }, b: { volumeCountMax: 1 } };
  await using store = await disks.open();
  const made = await Promise.all(
    [1, 2, 3, 4, 5].map((id) => codeOf(store.createVolume(volumeId(id), { collection: "c" }))),
  );
  expect(made.filter((code) => code === undefined).length).toBe(3);
  expect(made.filter((code) => code === "out-of-space").length).toBe(2);
});

test("another folder at the place of one that is used is no folder of it", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  await using store = await disks.open();
  writeFileSync(`${disks.a}/uuid`, "another");
  await store.checkDisks();
  expect(await statesOf(store)).toEqual(["1 missing", "2 writable"]);
});

test("a folder that was there last and is not given any more has its volumes missing", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  await using store = await disks.open(systemDisk, ["a"]);
  expect(await statesOf(store)).toEqual(["1 writable", "2 missing"]);
});

test("a volume whose file was lost is missing, until it is deleted", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  rmSync(`${disks.a}/c_1.dat`);
  await using store = await disks.open();
  expect(await statesOf(store)).toEqual(["1 missing", "2 writable"]);
  await store.deleteVolume(ONE);
  expect(readdirSync(disks.a)).toEqual(["uuid"]);
  expect(await statesOf(store)).toEqual(["2 writable"]);
  await store.createVolume(ONE, { collection: "c" });
});

test("the same folder twice is refused, a copy of one as well", async () => {
  using disks = new TwoDisks();
  writeFileSync(`${disks.b}/uuid`, "uuid of a");
  expect(await codeOf(disks.open())).toBe("folder-used-twice");
});

test("a volume that moved to another folder is served from there", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  for (const suffix of ["dat", "idx"])
    renameSync(`${disks.a}/c_1.${suffix}`, `${disks.b}/c_1.${suffix}`);
  await using store = await disks.open();
  expect((await store.volumes()).map(({ id, disk }) => [Number(id), disk])).toEqual([
    [1, 1],
    [2, 1],
  ]);
  expect([...((await store.read(fid(ONE))) ?? [])]).toEqual([1]);
});

test("of two files with one id the one that was here before is served", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  writeFileSync(`${disks.a}/c_2.dat`, Buffer.from("0300000000000000", "hex"));
  await using store = await disks.open();
  expect([...((await store.read(fid(TWO))) ?? [])]).toEqual([2]);
});

test("new volumes go where most space is free", async () => {
  using disks = new TwoDisks();
  const free = new Map([
    [disks.a, 100],
    [disks.b, 200],
  ]);
  await using store = await disks.open(diskWith(free));
  await store.createVolume(ONE, { collection: "c" });
  free.set(disks.a, 300);
  await store.createVolume(TWO, { collection: "c" });
  expect((await store.volumes()).map(({ disk }) => disk)).toEqual([1, 0]);
});

function diskWith(free: ReadonlyMap<string, number>): Disk {
  return Object.assign(new FaultyDisk(systemDisk), {
    space: async (path: string) => ({ totalBytes: 1000, availableBytes: free.get(path) ?? 0 }),
  });
}

test("each folder has its own floor, kind and number of volumes", async () => {
  using disks = new TwoDisks();
  disks.more = {
    a: { freeBytesFloor: 50, diskType: "ssd", volumeCountMax: 1 },
    b: { freeBytesFloor: 500, diskType: "hdd" },
  };
  const free = new Map([
    [disks.a, 100],
    [disks.b, 200],
  ]);
  await using store = await disks.open(diskWith(free));
  const create = (id: VolumeId, diskType: string) =>
    store.createVolume(id, { collection: "c", diskType });
  expect(await codeOf(create(ONE, "hdd"))).toBe("out-of-space");
  expect(await codeOf(create(ONE, "tape"))).toBe("out-of-space");
  await create(ONE, "ssd");
  expect(await codeOf(create(TWO, "ssd"))).toBe("out-of-space");
  free.set(disks.b, 500);
  await create(TWO, "");
  expect((await store.volumes()).map(({ diskType }) => diskType)).toEqual(["ssd", "hdd"]);
  expect(await store.disks()).toMatchObject([
    { diskType: "ssd", volumeCount: 1, volumeCountMax: 1 },
    { diskType: "hdd", volumeCount: 1, volumeCountMax: undefined },
  ]);
});

test("a disk under its floor sends writers elsewhere while it reads and removes, and takes them again", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  disks.more = { a: { freeBytesFloor: 1000 } };
  const free = new Map([
    [disks.a, 1100],
    [disks.b, 1],
  ]);
  await using store = await disks.open(diskWith(free));
  const changes: string[] = [];
  store.watchStates(({ id, state }) => changes.push(`${id} ${state}`));
  await store.append(fid(ONE, 2), new Uint8Array(60));
  // 60 of the 100 bytes beyond the floor are taken, whatever the system says of them.
  expect(await codeOf(store.append(fid(ONE, 3), new Uint8Array(200)))).toBe("volume-full");
  expect(await statesOf(store)).toEqual(["1 full", "2 writable"]);
  expect(await codeOf(store.writeNeedle(fid(ONE, 3), { data: new Uint8Array(1) }))).toBe(
    "volume-full",
  );
  expect((await store.read(fid(ONE, 2)))?.length).toBe(60);
  await store.remove([fid(ONE, 2)]);
  await store.append(fid(TWO, 2), new Uint8Array(500));
  free.set(disks.a, 5000);
  await store.checkDisks();
  await store.append(fid(ONE, 3), new Uint8Array(200));
  expect(changes).toEqual(["1 full", "1 writable"]);
});

test("a disk that refuses a new volume is passed over, and comes last from then on", async () => {
  using disks = new TwoDisks();
  const disk = new FaultyDisk(systemDisk);
  disk.onlyPathEnd = "a/c_1.dat";
  disk.writesUntilFailure = 1;
  const free = { totalBytes: 1000, availableBytes: 10 };
  disk.space = async (path) => (path === disks.a ? { ...free, availableBytes: 20 } : free);
  await using store = await disks.open(disk);
  await store.createVolume(ONE, { collection: "c" });
  expect(readdirSync(disks.a)).toEqual(["uuid"]);
  await store.createVolume(TWO, { collection: "c" });
  expect((await store.volumes()).map(({ disk: place }) => place)).toEqual([1, 1]);
});

test("a volume whose place cannot be remembered is not made", async () => {
  using disks = new TwoDisks();
  const disk = new FaultyDisk(systemDisk);
  await using store = await disks.open(disk);
  disk.writeWhole = async (path) => {
    throw new DiskError("write", path, "ENOSPC", undefined);
  };
  expect(await codeOf(store.createVolume(ONE, { collection: "c" }))).toBe("out-of-space");
  expect([...readdirSync(disks.a), ...readdirSync(disks.b)]).toEqual(["uuid", "uuid"]);
  expect(await store.volumes()).toEqual([]);
});

test("a deletion that a crash cut off is finished at the next start, wherever files are", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  {
    await using store = await disks.open(
      Object.assign(new FaultyDisk(systemDisk), {
        remove: async (path: string) => {
          throw new DiskError("remove", path, "EIO", undefined);
        },
      }),
    );
    expect(await codeOf(store.deleteVolume(ONE))).toBe("EIO");
    expect(await statesOf(store)).toEqual(["2 writable"]);
    expect(await codeOf(store.createVolume(ONE, { collection: "c" }))).toBe("volume-exists");
  }
  expect(existsSync(`${disks.a}/c_1.dat`)).toBe(true);
  await using store = await disks.open();
  expect(await statesOf(store)).toEqual(["2 writable"]);
  expect(readdirSync(disks.a)).toEqual(["uuid"]);
  await store.createVolume(ONE, { collection: "c" });
});

test("a volume deleted while its disk is gone does not come back with it", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  renameSync(disks.b, `${disks.b}.gone`);
  {
    await using store = await disks.open();
    expect(await store.deleteCollection("c")).toBe(2);
    expect(await store.volumes()).toEqual([]);
    renameSync(`${disks.b}.gone`, disks.b);
    await store.checkDisks();
    expect(await store.volumes()).toEqual([]);
  }
  expect(readdirSync(disks.b)).toEqual(["uuid"]);
});

test("a catalogue that cannot be understood stops the start and is left as it is", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  for (const text of ["{", "[]", `{"format":2,"folders":[],"volumes":[]}`, `{"format":1}`]) {
    writeFileSync(disks.catalogue, text);
    expect(await codeOf(disks.open())).toBe("catalogue-unreadable");
    expect(await Bun.file(disks.catalogue).text()).toBe(text);
  }
  rmSync(disks.catalogue);
  await using store = await disks.open();
  expect(await statesOf(store)).toEqual(["1 writable", "2 writable"]);
});

test("a deletion that could not be noted is none: the volume goes on, and is there after a restart", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  let isFull = false;
  const disk: Disk = {
    ...systemDisk,
    writeWhole: async (path, content, options) => {
      if (isFull && path === disks.catalogue) throw new DiskError("write", path, "ENOSPC", "full");
      await systemDisk.writeWhole(path, content, options);
    },
  };
  {
    await using store = await disks.open(disk);
    isFull = true;
    expect(await codeOf(store.deleteVolume(ONE))).toBe("out-of-space");
    isFull = false;
    await store.append(fid(ONE, 2), Uint8Array.of(2));
    // What is noted next must not say that the volume was deleted.
    await store.createVolume(THREE, { collection: "c" });
  }
  await using store = await disks.open();
  expect(await statesOf(store)).toEqual(["1 writable", "2 writable", "3 writable"]);
  expect([...((await store.read(fid(ONE, 2))) ?? [])]).toEqual([2]);
});

test("where it cannot be known whether a deletion was noted, nothing more is taken in", async () => {
  using disks = new TwoDisks();
  await fillBoth(disks);
  let isBroken = false;
  const disk: Disk = {
    ...systemDisk,
    writeWhole: async (path, content, options) => {
      if (!isBroken || path !== disks.catalogue) {
        await systemDisk.writeWhole(path, content, options);
        return;
      }
      // The new content may have its name, and the folder's sync fails.
      const text = Buffer.from(content).toString();
      if (text.includes("deleted")) await systemDisk.writeWhole(path, content, options);
      throw new DiskError("sync folder", path, "EIO", "broken");
    },
  };
  {
    await using store = await disks.open(disk);
    isBroken = true;
    expect(await codeOf(store.deleteVolume(ONE))).toBe("volume-failed");
    expect(await codeOf(store.append(fid(ONE, 2), Uint8Array.of(2)))).toBe("volume-failed");
    expect(await statesOf(store)).toEqual(["1 failed", "2 writable"]);
    // Trying again is possible, and taking it back by any later save is, too.
    isBroken = false;
    await store.createVolume(THREE, { collection: "c" });
  }
  await using store = await disks.open();
  expect(await statesOf(store)).toEqual(["1 writable", "2 writable", "3 writable"]);
});
