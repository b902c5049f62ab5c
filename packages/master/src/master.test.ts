import { expect, test } from "bun:test";
import { type Disk, silentLog } from "@kelp/base";
import { type Fid, type VolumeClient, needleId, volumeId } from "@kelp/wire";
import { MemoryVolumes, codeOf } from "@kelp/volume/testing";
import { FAILED_VOLUME_COUNT_MAX } from "./limits.ts";
import { type Master, type MasterOptions, openMaster } from "./master.ts";

const GIB = 1024 ** 3;

class Space implements Pick<Disk, "space"> {
  availableBytes = 100 * GIB;

  async space() {
    return { totalBytes: 200 * GIB, availableBytes: this.availableBytes };
  }
}

interface World extends AsyncDisposable {
  readonly volumes: MemoryVolumes;
  readonly space: Space;
  readonly master: Master;
  nowMs: number;
}

async function openWorld(
  options: Partial<MasterOptions> = {},
  volumes = new MemoryVolumes(),
): Promise<World> {
  const space = new Space();
  const world = { volumes, space, nowMs: 0 };
  let drawn = 0;
  const master = await openMaster({
    volumes,
    states: volumes,
    disk: space,
    folder: "/volumes",
    random: { uint32: () => ++drawn },
    clock: { monotonicMs: () => world.nowMs },
    log: silentLog,
    ...options,
  });
  return Object.assign(world, { master, [Symbol.asyncDispose]: () => master.close() });
}

function assign(world: World, collection = "c"): Promise<Fid> {
  return world.master.assign({ collection, sizeBytes: 100 });
}

/** Lets what was started in the background come to its end. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function assignedVolumes(world: World, count: number): Promise<number[]> {
  const ids = new Set<number>();
  for (let index = 0; index < count; index++) ids.add((await assign(world)).volumeId);
  return [...ids].sort((left, right) => left - right);
}

test("the first needle of a collection makes its first volume, and the others follow", async () => {
  await using world = await openWorld({ writableCount: 3 });
  await assign(world);
  for (let round = 0; round < 4; round++) {
    await assign(world);
    await settle();
  }
  expect(await assignedVolumes(world, 9)).toEqual([1, 2, 3]);
  expect((await world.volumes.volumes()).length).toBe(3);
});

test("collections share no volume", async () => {
  await using world = await openWorld({ writableCount: 1 });
  const [first, second] = [await assign(world, "a"), await assign(world, "b")];
  expect(first.volumeId).not.toBe(second.volumeId);
  expect((await assign(world, "a")).volumeId).toBe(first.volumeId);
});

test("many who come at once share the making of one volume", async () => {
  await using world = await openWorld({ writableCount: 1 });
  await Promise.all(Array.from({ length: 50 }, () => assign(world)));
  expect((await world.volumes.volumes()).length).toBe(1);
});

test("no needle id is assigned twice, and each has a cookie of its own", async () => {
  await using world = await openWorld();
  const fids = await Promise.all(Array.from({ length: 500 }, () => assign(world)));
  expect(new Set(fids.map((fid) => fid.needleId)).size).toBe(500);
  expect(new Set(fids.map((fid) => fid.cookie)).size).toBe(500);
});

test("needle ids begin above all that volumes have held, removed ones included", async () => {
  const volumes = new MemoryVolumes();
  await volumes.createVolume(volumeId(4), { collection: "c" });
  const old: Fid = { volumeId: volumeId(4), needleId: needleId(1n << 40n), cookie: 1 };
  await volumes.append(old, new Uint8Array(1));
  await volumes.remove([old]);
  await using world = await openWorld({}, volumes);
  expect((await assign(world)).needleId).toBe(needleId((1n << 40n) + 1n));
});

test("volumes that are there are used before new ones are made", async () => {
  const volumes = new MemoryVolumes();
  await volumes.createVolume(volumeId(4), { collection: "c" });
  await using world = await openWorld({ writableCount: 1 }, volumes);
  expect((await assign(world)).volumeId).toBe(volumeId(4));
});

test.each(["full", "failed", "read-only"] as const)(
  "a volume that becomes %s is not assigned to any more, and replaced at once",
  async (state) => {
    await using world = await openWorld({ writableCount: 1 });
    const { volumeId: first } = await assign(world);
    world.volumes.setState(first, state);
    await settle();
    expect((await world.volumes.volumes()).length).toBe(2);
    expect(await assignedVolumes(world, 4)).toEqual([2]);
  },
);

test("without announcements a refresh notices a full volume", async () => {
  const volumes = new MemoryVolumes();
  await using world = await openWorld(
    { writableCount: 1, states: { watchStates: () => ({ [Symbol.dispose]: () => undefined }) } },
    volumes,
  );
  const { volumeId: first } = await assign(world);
  volumes.setState(first, "full");
  await world.master.refresh();
  expect((await assign(world)).volumeId).not.toBe(first);
});

test("under the floor no volume is made, and once there is space again one is", async () => {
  await using world = await openWorld({ freeBytesFloor: GIB });
  world.space.availableBytes = GIB - 1;
  expect(await codeOf(assign(world))).toBe("out-of-space");
  expect(await world.volumes.volumes()).toEqual([]);
  world.space.availableBytes = GIB;
  expect((await assign(world)).volumeId).toBe(volumeId(1));
});

test("under the floor the volumes that are there go on", async () => {
  await using world = await openWorld({ writableCount: 2, freeBytesFloor: GIB });
  await assign(world);
  world.space.availableBytes = 0;
  for (let round = 0; round < 3; round++) {
    expect((await assign(world)).volumeId).toBe(volumeId(1));
    await settle();
  }
});

test("growing in the background is not tried again at once after it failed", async () => {
  await using world = await openWorld({ writableCount: 2, freeBytesFloor: GIB });
  await assign(world);
  world.space.availableBytes = 0;
  await assign(world);
  await settle();
  world.space.availableBytes = GIB;
  await assign(world);
  await settle();
  expect((await world.volumes.volumes()).length).toBe(1);
  world.nowMs = 5000;
  await assign(world);
  await settle();
  expect((await world.volumes.volumes()).length).toBe(2);
});

test.each([
  ["out-of-space", "out-of-space"],
  ["volume-failed", "no-writable-volume"],
])("a volume that cannot be made (%s) is %s to the one who asked", async (code, expected) => {
  const volumes = new MemoryVolumes();
  const refusing: VolumeClient = {
    append: (fid, data) => volumes.append(fid, data),
    read: (fid) => volumes.read(fid),
    remove: (fids) => volumes.remove(fids),
    volumes: () => volumes.volumes(),
    scan: (id) => volumes.scan(id),
    createVolume: async () => {
      throw Object.assign(new Error("refused"), { code });
    },
  };
  await using world = await openWorld({ volumes: refusing }, volumes);
  expect(await codeOf(assign(world))).toBe(expected);
});

test("a disk on which every volume fails is not filled with volumes", async () => {
  await using world = await openWorld({ writableCount: 1 });
  for (let round = 0; round < FAILED_VOLUME_COUNT_MAX; round++) {
    world.volumes.setState((await assign(world)).volumeId, "failed");
    await settle();
  }
  expect(await codeOf(assign(world))).toBe("no-writable-volume");
  expect((await world.volumes.volumes()).length).toBe(FAILED_VOLUME_COUNT_MAX);
});

test("a closed master assigns nothing", async () => {
  const world = await openWorld();
  await world.master.close();
  await world.master.close();
  expect(await codeOf(assign(world))).toBe("closed");
});

test("the status tells volumes and space", async () => {
  await using world = await openWorld({ writableCount: 1 });
  await assign(world);
  expect(await world.master.status()).toMatchObject({
    volumes: [{ id: 1, collection: "c", state: "writable" }],
    totalBytes: 200 * GIB,
    availableBytes: 100 * GIB,
  });
});
