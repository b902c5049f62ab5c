import { expect, test } from "bun:test";
import { silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { type VolumeStoreOptions, openVolumeStore } from "./volume-store.ts";

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
