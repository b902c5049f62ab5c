import { expect, test } from "bun:test";
import {
  existsSync,
  openSync,
  closeSync,
  ftruncateSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { must, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { FaultyDisk } from "@kelp/base/testing";
import { CHECKPOINT_CLOSE_CHANGES_MIN, WIDE_VOLUME_FILE_BYTES_MAX } from "../limits.ts";
import { openVolumeStore } from "../store/volume-store.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { ONE, VolumeWorld, content, fid, readPlain, scanAll } from "../testing/volume-world.ts";
import { Volume } from "./volume.ts";

const DEPS = { disk: systemDisk, clock: systemClock, hashes: systemHashes, log: silentLog };
const COUNT = CHECKPOINT_CLOSE_CHANGES_MIN + 10;

/** More needles than are replayed at every opening; each tenth is removed again. */
async function filled(world: VolumeWorld): Promise<void> {
  await using store = await world.open();
  for (let from = 1; from <= COUNT; from += 4096) {
    const ids = Array.from({ length: Math.min(4096, COUNT + 1 - from) }, (_, at) => from + at);
    await Promise.all(ids.map((id) => store.append(fid(id), content(id, 3))));
  }
  const removed = Array.from({ length: COUNT / 10 }, (_, at) => fid((at + 1) * 10));
  await store.remove(removed);
}

test("a volume of many needles is opened from its checkpoint, the same as from its index file and from itself", async () => {
  using world = new VolumeWorld();
  await filled(world);
  const checkpoint = `${world.folder}/1.kix`;
  expect(existsSync(checkpoint)).toBe(true);
  const look = async (disk = systemDisk) => {
    await using store = await world.open({ disk });
    const contents = [1, 10, 11, COUNT - 1].map((id) => readPlain(store, fid(id)));
    return { status: await store.volumes(), contents: await Promise.all(contents) };
  };
  const disk = new FaultyDisk(systemDisk);
  disk.onlyPathEnd = ".idx";
  const fast = await look(disk);
  expect(disk.readBytes).toBeLessThan(5000);
  expect(fast.contents.map((each) => each?.length)).toEqual([3, undefined, 3, 3]);
  rmSync(checkpoint);
  expect(await look()).toEqual(fast);
  rmSync(checkpoint, { force: true });
  rmSync(world.indexPath);
  expect(await look()).toEqual(fast);
});

test("what came behind a checkpoint is there after a crash, and an index file that lost its end is completed", async () => {
  using world = new VolumeWorld();
  await filled(world);
  const index = world.index();
  {
    await using store = await world.open();
    await store.append(fid(COUNT + 1), content(1, 50));
    await store.remove([fid(1), fid(2)]);
  }
  for (const keep of [index.length + 48, index.length + 20, index.length, index.length - 16]) {
    world.spoilIndex((bytes) => bytes.subarray(0, keep));
    await using store = await world.open();
    expect(await readPlain(store, fid(COUNT + 1))).toEqual([...content(1, 50)]);
    expect(await store.read(fid(1))).toBeUndefined();
    expect(await readPlain(store, fid(3))).toEqual([...content(3, 3)]);
    expect(await store.volumes()).toMatchObject([
      { liveCount: COUNT - Math.floor(COUNT / 10) - 1, deletedCount: Math.floor(COUNT / 10) + 2 },
    ]);
  }
});

test("a leftover of a checkpoint that was being written harms nothing", async () => {
  using world = new VolumeWorld();
  writeFileSync(`${world.folder}/1.kix.tmp`, Buffer.alloc(100_000, 7));
  await filled(world);
  expect(existsSync(`${world.folder}/1.kix.tmp`)).toBe(false);
  await using store = await world.open();
  expect(await readPlain(store, fid(9))).toEqual([...content(9, 3)]);
});

/** A sparse volume file with one needle at 8 and one beyond 32 GiB, and its index file of 17-byte entries. */
function wideVolume(world: VolumeWorld): number {
  // Data "a" (checksum of RFC 3720's polynomial: 0xc1d04330), no optional fields, written at 1 s.
  const record = (id: string) =>
    Buffer.from(
      `11223344${id}0000000600000001 61 00 c1d04330 000000003b9aca00 000000060000`.replaceAll(
        " ",
        "",
      ),
      "hex",
    );
  const far = 33 * 1024 ** 3;
  const file = openSync(world.dataPath, "w");
  writeSync(file, Buffer.from("0300000000000000", "hex"), 0, 8, 0);
  writeSync(file, record("0000000000000001"), 0, 40, 8);
  ftruncateSync(file, far + 40);
  writeSync(file, record("0000000000000002"), 0, 40, far);
  closeSync(file);
  // 33 GiB / 8 = 0x1_0800_0000: the fifth byte comes last.
  writeFileSync(
    world.indexPath,
    Buffer.from(
      "0000000000000001 00000001 00 00000006 0000000000000002 08000000 01 00000006".replaceAll(
        " ",
        "",
      ),
      "hex",
    ),
  );
  writeFileSync(`${world.folder}/1.vif`, `{ "version": 3, "bytesOffset": 5 }`);
  return far;
}

test("needles beyond 32 GiB are read and removed where the index file has offsets of 5 bytes", async () => {
  using world = new VolumeWorld();
  const far = wideVolume(world);
  {
    await using store = await world.open();
    expect((await store.volumes())[0]).toMatchObject({ state: "full", sizeBytes: far + 40 });
    expect(await readPlain(store, fid(1))).toEqual([0x61]);
    expect(await readPlain(store, fid(2))).toEqual([0x61]);
    expect(await scanAll(store)).toMatchObject([{ needleId: 1n }, { needleId: 2n }]);
    expect(await codeOf(store.append(fid(3), content(3, 10)))).toBe("volume-full");
    await store.remove([fid(1)]);
  }
  // The tombstone stands at 33 GiB + 40: 0x1_0800_0005.
  expect(world.index().subarray(34).toString("hex")).toBe("00000000000000010800000501ffffffff");
  await using store = await world.open();
  expect(await store.read(fid(1))).toBeUndefined();
  expect(await readPlain(store, fid(2))).toEqual([0x61]);
});

test("entries at the end of an index file with offsets of 5 bytes are found again in the volume file", async () => {
  using world = new VolumeWorld();
  wideVolume(world);
  {
    await using store = await world.open();
    await store.remove([fid(1)]);
  }
  const whole = world.index();
  for (const keep of [34, 40]) {
    world.spoilIndex(() => whole.subarray(0, keep));
    await using store = await world.open();
    expect(await store.read(fid(1))).toBeUndefined();
    expect(await readPlain(store, fid(2))).toEqual([0x61]);
  }
  expect(world.index()).toEqual(whole);
});

test("a volume that is made large takes needles beyond 32 GiB, and keeps its offsets in a vacuum", async () => {
  using world = new VolumeWorld();
  {
    await using store = await openVolumeStore({ ...DEPS, folder: world.folder });
    await store.createVolume(ONE, { collection: "", isLarge: true });
    await store.append(fid(1), content(1, 10));
    await store.append(fid(3), content(3, 10));
    await store.remove([fid(3)]);
    await store.vacuum(ONE);
  }
  expect(readFileSync(`${world.folder}/1.vif`, "utf8")).toContain(`"bytesOffset": 5`);
  // The needle, and the removal that a vacuum remembers.
  expect(world.index().length).toBe(2 * 17);
  {
    await using store = await world.open();
    expect(await readPlain(store, fid(1))).toEqual([...content(1, 10)]);
  }
  rmSync(`${world.folder}/1.vif`);
  rmSync(`${world.folder}/1.kix`, { force: true });
  wideVolume(world);
  // As when it was made, without a limit.
  const unlimited = { sizeBytesMax: WIDE_VOLUME_FILE_BYTES_MAX, graceBytes: 0 };
  const name = { folder: world.folder, collection: "", id: ONE };
  const open = () => Volume.open(DEPS, { ...name, ...unlimited, onStateChange: () => undefined });
  {
    await using volume = await open();
    await volume.append(fid(4), content(4, 10));
    expect(volume.status().state).toBe("writable");
  }
  await using volume = await open();
  expect([...must(await volume.read(fid(4)))]).toEqual([...content(4, 10)]);
  expect([...must(await volume.read(fid(2)))]).toEqual([0x61]);
});
