import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { codeOf } from "../testing/volume-client-contract.ts";
import type { VolumeStoreOptions } from "./store-options.ts";
import { openVolumeStore } from "./volume-store.ts";

function optionsFor(folder: string): VolumeStoreOptions {
  return { disk: systemDisk, clock: systemClock, hashes: systemHashes, log: silentLog, folder };
}

function fid(id: number, cookie = 0x12345678): Fid {
  return { volumeId: volumeId(1), needleId: needleId(BigInt(id)), cookie };
}

test("what was appended and removed is the same after reopening", async () => {
  using folder = temporaryFolder();
  let before;
  {
    await using store = await openVolumeStore(optionsFor(folder.path));
    await store.createVolume(volumeId(1), { collection: "pictures" });
    const sizes = [0, 1, 7, 8, 9, 4096, 100_000, 2 * 1024 * 1024];
    await Promise.all(
      sizes.map((size, index) => store.append(fid(index + 1), new Uint8Array(size).fill(size))),
    );
    await store.remove([fid(3), fid(3), fid(99)]);
    expect(await store.read(fid(8))).toEqual(
      Buffer.from(new Uint8Array(2 * 1024 * 1024).fill(2 * 1024 * 1024)),
    );
    before = await store.volumes();
  }
  await using store = await openVolumeStore(optionsFor(folder.path));
  expect(await store.volumes()).toEqual(before);
  expect(await store.read(fid(3))).toBeUndefined();
  expect((await store.read(fid(1)))?.length).toBe(0);
  expect(Buffer.from((await store.read(fid(6))) ?? [])).toEqual(Buffer.alloc(4096, 4096 & 0xff));
});

test("a deleted volume is gone with all its files, and its id is free again", async () => {
  using folder = temporaryFolder();
  const states: string[] = [];
  await using store = await openVolumeStore(optionsFor(folder.path));
  store.watchStates((change) => states.push(`${change.id} ${change.state}`));
  for (const [id, collection] of [
    [1, "a"],
    [2, "b"],
    [3, "a"],
  ] as const) {
    await store.createVolume(volumeId(id), { collection });
  }
  await store.append(fid(1), new Uint8Array(10));
  writeFileSync(`${folder.path}/a_1.vif`, "{}");
  writeFileSync(`${folder.path}/a_11.note`, "");
  await store.deleteVolume(volumeId(1));
  expect(await codeOf(store.read(fid(1)))).toBe("no-such-volume");
  expect(await codeOf(store.deleteVolume(volumeId(1)))).toBe("no-such-volume");
  expect(await store.deleteCollection("b")).toBe(1);
  expect(readdirSync(folder.path).sort()).toEqual(["a_11.note", "a_3.dat", "a_3.idx"]);
  await store.createVolume(volumeId(1), { collection: "a" });
  expect(await store.read(fid(1))).toBeUndefined();
  expect(states).toEqual([
    "1 writable",
    "2 writable",
    "3 writable",
    "1 deleted",
    "2 deleted",
    "1 writable",
  ]);
});

test("a volume takes no other along whose collection begins with its name", async () => {
  using folder = temporaryFolder();
  await using store = await openVolumeStore(optionsFor(folder.path));
  const names = [
    [1, ""],
    [2, "1.backup"],
    [3, "a"],
    [4, "a_3.old"],
  ] as const;
  for (const [id, collection] of names) await store.createVolume(volumeId(id), { collection });
  writeFileSync(`${folder.path}/a_3.vif.77.tmp`, "unfinished");
  await store.deleteVolume(volumeId(1));
  await store.deleteVolume(volumeId(3));
  expect(readdirSync(folder.path).sort()).toEqual([
    "1.backup_2.dat",
    "1.backup_2.idx",
    "a_3.old_4.dat",
    "a_3.old_4.idx",
  ]);
});

test("a volume that cannot be opened can be deleted", async () => {
  using folder = temporaryFolder();
  writeFileSync(`${folder.path}/5.dat`, "no volume");
  await using store = await openVolumeStore(optionsFor(folder.path));
  await store.deleteVolume(volumeId(5));
  expect(readdirSync(folder.path)).toEqual([]);
});

test("the disks are told with their volumes and space", async () => {
  using folder = temporaryFolder();
  await using store = await openVolumeStore(optionsFor(folder.path));
  await store.createVolume(volumeId(1), { collection: "" });
  expect(await store.disks()).toEqual([
    {
      folder: folder.path,
      diskType: "",
      state: "ok",
      totalBytes: expect.any(Number),
      availableBytes: expect.any(Number),
      fileSystem: expect.any(String),
      volumeCount: 1,
      volumeCountMax: undefined,
    },
  ]);
});
