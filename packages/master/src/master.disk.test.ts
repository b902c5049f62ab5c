import { expect, test } from "bun:test";
import { type Disk, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes, systemRandom } from "@kelp/base/platform";
import { FaultyDisk, temporaryFolder } from "@kelp/base/testing";
import { type VolumeStore, openVolumeStore } from "@kelp/volume";
import { codeOf } from "@kelp/volume/testing";
import { type Fid, type Ttl, needleId, volumeId } from "@kelp/wire";
import { openMaster } from "./master.ts";

function openMasterOn(store: VolumeStore) {
  return openMaster({
    volumes: store,
    states: store,
    disks: store,
    random: systemRandom,
    clock: systemClock,
    log: silentLog,
  });
}

async function openBoth(folder: string, disk: Disk) {
  const store = await openVolumeStore({
    disk,
    clock: systemClock,
    hashes: systemHashes,
    log: silentLog,
    folder,
    volumeSizeBytesMax: 100_000,
  });
  const master = await openMasterOn(store);
  return {
    store,
    master,
    [Symbol.asyncDispose]: async () => {
      await master.close();
      await store.close();
    },
  };
}

const SIZE_BYTES = 5000;

test("writers never notice that volumes fill up, and find everything after a restart", async () => {
  using folder = temporaryFolder();
  const written: Fid[] = [];
  {
    await using both = await openBoth(folder.path, systemDisk);
    const { store, master } = both;
    const writers = Array.from({ length: 16 }, async (_, writer) => {
      for (let round = 0; round < 30; round++) {
        const fid = await master.assign({ collection: "c", sizeBytes: SIZE_BYTES });
        await store.append(fid, new Uint8Array(SIZE_BYTES).fill(writer));
        written.push(fid);
      }
    });
    await Promise.all(writers);
    expect((await store.volumes()).length).toBeGreaterThan(10);
  }
  await using both = await openBoth(folder.path, systemDisk);
  for (const fid of written) expect((await both.store.read(fid))?.length).toBe(SIZE_BYTES);
  const next = await both.master.assign({ collection: "c", sizeBytes: 1 });
  expect(written.every((fid) => fid.needleId < next.needleId)).toBe(true);
});

test("after a volume failed the next needle goes to another", async () => {
  using folder = temporaryFolder();
  const disk = new FaultyDisk(systemDisk);
  await using both = await openBoth(folder.path, disk);
  const { store, master } = both;
  const first = await master.assign({ collection: "c", sizeBytes: 1 });
  disk.syncsUntilFailure = 1;
  expect(await codeOf(store.append(first, new Uint8Array(1)))).toBe("volume-failed");
  disk.syncsUntilFailure = Number.POSITIVE_INFINITY;
  const second = await master.assign({ collection: "c", sizeBytes: 1 });
  expect(second.volumeId).not.toBe(first.volumeId);
  await store.append(second, new Uint8Array(1));
});

test("under the floor nothing is assigned, and once there is space the volumes that are there go on", async () => {
  using folder = temporaryFolder();
  const disk = new FaultyDisk(systemDisk);
  await using store = await openVolumeStore({
    disk,
    clock: systemClock,
    hashes: systemHashes,
    log: silentLog,
    folders: [{ path: folder.path, freeBytesFloor: 1000 }],
  });
  await using master = await openMasterOn(store);
  const request = { collection: "c", sizeBytes: 1 };
  disk.spaceBytes = 999;
  expect(await codeOf(master.assign(request))).toBe("out-of-space");
  disk.spaceBytes = Number.POSITIVE_INFINITY;
  const first = await master.assign(request);
  await store.append(first, new Uint8Array(1));
  disk.spaceBytes = 500;
  await store.disks();
  expect((await store.volumes())[0]?.state).toBe("full");
  expect(await codeOf(store.append(first, new Uint8Array(1)))).toBe("volume-full");
  expect(await codeOf(master.assign(request))).toBe("out-of-space");
  disk.spaceBytes = Number.POSITIVE_INFINITY;
  expect((await master.assign(request)).volumeId).toBe(first.volumeId);
  await store.append(first, new Uint8Array(1));
});

test("volumes of a disk that comes back take what they are for, under ids that they never had", async () => {
  using folder = temporaryFolder();
  let isGone = false;
  const cold = {
    path: `${folder.path}/cold`,
    take: async () => {
      if (isGone) throw new Error("not mounted");
      await systemDisk.makeFolder(`${folder.path}/cold`);
      return { uuid: "cold", probe: async () => {}, [Symbol.dispose]: () => {} };
    },
  };
  const open = () =>
    openVolumeStore({
      disk: systemDisk,
      clock: systemClock,
      hashes: systemHashes,
      log: silentLog,
      folders: [{ path: `${folder.path}/hot`, volumeCountMax: 0 }, cold],
      catalogueFile: `${folder.path}/volumes.json`,
    });
  const ttl: Ttl = { count: 3, unit: "day" };
  const high = { volumeId: volumeId(1), needleId: needleId(500n), cookie: 1 };
  {
    await using store = await open();
    await store.createVolume(volumeId(1), { collection: "c", ttl });
    await store.createVolume(volumeId(2), { collection: "c" });
    await store.append(high, Uint8Array.of(5));
  }
  isGone = true;
  await using store = await open();
  await using master = await openMasterOn(store);
  expect((await store.volumes()).map(({ state }) => state)).toEqual(["missing", "missing"]);
  isGone = false;
  await store.checkDisks();
  await master.refresh();
  for (let round = 0; round < 4; round++) {
    const lasting = await master.assign({ collection: "c", sizeBytes: 1 });
    expect(lasting.volumeId).toBe(volumeId(2));
    expect(lasting.needleId).toBeGreaterThan(high.needleId);
    const passing = await master.assign({ collection: "c", sizeBytes: 1, ttl });
    expect(passing.volumeId).toBe(volumeId(1));
    await store.append(passing, Uint8Array.of(6));
  }
});
