import { expect, test } from "bun:test";
import { silentLog } from "@kelp/base";
import {
  type DiskStatus,
  type Fid,
  type VolumeAdmin,
  type AssignRequest,
  needleId,
  volumeId,
} from "@kelp/wire";
import { MemoryVolumes, codeOf } from "@kelp/volume/testing";
import { ASSIGN_COUNT_MAX, FAILED_VOLUME_COUNT_MAX, GROW_COUNT_MAX } from "./limits.ts";
import { type Master, type MasterOptions, openMaster } from "./master.ts";

const GIB = 1024 ** 3;

const DISK: DiskStatus = {
  folder: "/volumes",
  diskType: "",
  state: "ok",
  totalBytes: 200 * GIB,
  availableBytes: 100 * GIB,
  volumeCount: 0,
  volumeCountMax: undefined,
};

/** Two file systems, one of them with two folders. */
const DISKS: Pick<VolumeAdmin, "disks"> = {
  disks: async () => ["a", "b", "a"].map((fileSystem) => ({ ...DISK, fileSystem })),
};

interface World extends AsyncDisposable {
  readonly volumes: MemoryVolumes;
  readonly master: Master;
  nowMs: number;
}

async function openWorld(
  options: Partial<MasterOptions> = {},
  volumes = new MemoryVolumes(),
): Promise<World> {
  const world = { volumes, nowMs: 0 };
  let drawn = 0;
  const master = await openMaster({
    volumes,
    states: volumes,
    disks: DISKS,
    random: { uint32: () => ++drawn },
    clock: { monotonicMs: () => world.nowMs, nowMs: () => world.nowMs },
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

test("an id that a client chose from the end of all ids leaves enough for everybody else", async () => {
  const volumes = new MemoryVolumes();
  await volumes.createVolume(volumeId(4), { collection: "c" });
  await volumes.createVolume(volumeId(5), { collection: "d" });
  const inFour = (id: bigint): Fid => ({
    volumeId: volumeId(4),
    needleId: needleId(id),
    cookie: 1,
  });
  await volumes.append(inFour(7n), new Uint8Array(1));
  await volumes.append(inFour(2n ** 64n - 1n), new Uint8Array(1));
  await volumes.append({ ...inFour(9n), volumeId: volumeId(5) }, new Uint8Array(1));
  await using world = await openWorld({}, volumes);
  expect(await assign(world, "d")).toMatchObject({ volumeId: 5, needleId: 10n });
  // Which other ids the first volume holds is not told, so it takes none.
  expect((await assign(world)).volumeId).not.toBe(volumeId(4));
});

test("volumes that are there are used before new ones are made", async () => {
  const volumes = new MemoryVolumes();
  await volumes.createVolume(volumeId(4), { collection: "c" });
  await using world = await openWorld({ writableCount: 1 }, volumes);
  expect((await assign(world)).volumeId).toBe(volumeId(4));
});

test.each(["full", "failed", "read-only", "missing"] as const)(
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

test("growing in the background is not tried again at once after it failed", async () => {
  const volumes = new RefusingVolumes();
  await using world = await openWorld({ writableCount: 2 }, volumes);
  await assign(world);
  volumes.refusal = "out-of-space";
  await assign(world);
  await settle();
  volumes.refusal = undefined;
  await assign(world);
  await settle();
  expect((await world.volumes.volumes()).length).toBe(1);
  world.nowMs = 5000;
  await assign(world);
  await settle();
  expect((await world.volumes.volumes()).length).toBe(2);
});

test("while no volume can be made those that are there go on", async () => {
  const volumes = new RefusingVolumes();
  await using world = await openWorld({ writableCount: 2 }, volumes);
  await assign(world);
  volumes.refusal = "out-of-space";
  for (let round = 0; round < 3; round++) {
    expect((await assign(world)).volumeId).toBe(volumeId(1));
    await settle();
  }
});

test("a volume that takes needles again because there is space is used before one is made", async () => {
  const volumes = new MemoryVolumes();
  const disks = {
    disks: async () => {
      volumes.setState(volumeId(1), "writable");
      return [DISK];
    },
  };
  await volumes.createVolume(volumeId(1), { collection: "c" });
  volumes.setState(volumeId(1), "full");
  await using world = await openWorld({ disks }, volumes);
  expect((await assign(world)).volumeId).toBe(volumeId(1));
  expect((await volumes.volumes()).length).toBe(1);
});

class RefusingVolumes extends MemoryVolumes {
  refusal: string | undefined;

  override async createVolume(...args: Parameters<MemoryVolumes["createVolume"]>): Promise<void> {
    if (this.refusal === undefined) return super.createVolume(...args);
    throw Object.assign(new Error("refused"), { code: this.refusal });
  }
}

test.each([
  ["out-of-space", "out-of-space"],
  ["volume-failed", "no-writable-volume"],
])("a volume that cannot be made (%s) is %s to the one who asked", async (code, expected) => {
  const volumes = new RefusingVolumes();
  volumes.refusal = code;
  await using world = await openWorld({}, volumes);
  expect(await codeOf(assign(world))).toBe(expected);
  const told = await assign(world).then(() => "assigned", String);
  expect(told).toContain("cannot be made (refused)");
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
    totalBytes: 400 * GIB,
    availableBytes: 200 * GIB,
  });
});

const WEEK = { count: 1, unit: "week" } as const;

function assignIn(world: World, layout: Partial<AssignRequest>): Promise<Fid> {
  return world.master.assign({ collection: "c", sizeBytes: 1, ...layout });
}

test("each layout has volumes of its own", async () => {
  await using world = await openWorld();
  const layouts = [
    {},
    { replicaPlacement: 1 },
    { ttl: WEEK },
    { ttl: { ...WEEK, count: 2 } },
    { collection: "d", ttl: WEEK },
  ];
  const first = [];
  for (const layout of layouts) first.push((await assignIn(world, layout)).volumeId);
  expect(new Set(first).size).toBe(layouts.length);
  for (const [index, layout] of layouts.entries()) {
    expect((await assignIn(world, layout)).volumeId).toBe(first[index] ?? volumeId(99));
  }
  expect((await world.volumes.volumes()).map(({ ttl }) => ttl.count)).toEqual([0, 0, 1, 2, 1]);
});

test("a volume with a TTL takes no needles once its first may have expired, so that it comes to an end", async () => {
  await using world = await openWorld();
  const { volumeId: first } = await assignIn(world, { ttl: WEEK });
  const { volumeId: lasting } = await assignIn(world, {});
  world.nowMs = 7 * 24 * 3600 * 1000;
  expect((await assignIn(world, { ttl: WEEK })).volumeId).toBe(first);
  world.nowMs += 1;
  expect((await assignIn(world, { ttl: WEEK })).volumeId).not.toBe(first);
  expect((await assignIn(world, {})).volumeId).toBe(lasting);
});

test("layouts are found again after a restart", async () => {
  const volumes = new MemoryVolumes();
  const before: number[] = [];
  {
    await using world = await openWorld({}, volumes);
    before.push((await assignIn(world, { ttl: WEEK })).volumeId);
    before.push((await assignIn(world, {})).volumeId);
  }
  await using world = await openWorld({}, volumes);
  const after = [await assignIn(world, { ttl: WEEK }), await assignIn(world, {})];
  expect(after.map((fid) => Number(fid.volumeId))).toEqual(before);
});

test("a kind of disk is asked for, and its volumes serve those who do not care, too", async () => {
  await using world = await openWorld();
  const { volumeId: fast } = await assignIn(world, { diskType: "ssd" });
  expect((await world.volumes.volumes())[0]?.diskType).toBe("ssd");
  expect((await assignIn(world, {})).volumeId).toBe(fast);
  const { volumeId: slow } = await assignIn(world, { diskType: "hdd" });
  expect(slow).not.toBe(fast);
});

test("many ids at once are nobody else's", async () => {
  await using world = await openWorld();
  const first = await assignIn(world, { count: 1000 });
  const next = await assign(world);
  expect(next.needleId - first.needleId).toBe(1000n);
  for (const count of [0, -1, 1.5, ASSIGN_COUNT_MAX + 1]) {
    expect(await codeOf(assignIn(world, { count }))).toBe("invalid-request");
  }
});

test("growing makes as many volumes as asked for, all of which are used", async () => {
  await using world = await openWorld();
  const made = await world.master.grow(3, { collection: "c", ttl: WEEK });
  expect(made.length).toBe(3);
  const used = new Set<number>();
  for (let round = 0; round < 3; round++) {
    used.add((await assignIn(world, { ttl: WEEK })).volumeId);
  }
  expect(used).toEqual(new Set(made.map(Number)));
  const tooMany = world.master.grow(GROW_COUNT_MAX + 1, { collection: "c" });
  expect(await codeOf(tooMany)).toBe("invalid-request");
});

test("growing that comes to an end tells how far it came", async () => {
  const volumes = new RefusingVolumes();
  await using world = await openWorld({}, volumes);
  volumes.watchStates(({ id }) => {
    if (id === 2) volumes.refusal = "out-of-space";
  });
  expect(await world.master.grow(5, { collection: "c" })).toEqual([volumeId(1), volumeId(2)]);
  expect(await codeOf(world.master.grow(1, { collection: "c" }))).toBe("out-of-space");
});

test("a deleted volume is forgotten and not replaced, and its id may come again as another", async () => {
  await using world = await openWorld();
  await assign(world);
  world.volumes.deleteVolume(volumeId(1));
  await settle();
  expect(await world.volumes.volumes()).toEqual([]);
  await world.volumes.createVolume(volumeId(1), { collection: "other" });
  await settle();
  expect((await assign(world, "other")).volumeId).toBe(volumeId(1));
  expect((await assign(world)).volumeId).toBe(volumeId(2));
});

test("a volume that somebody else made is found by its announcement", async () => {
  await using world = await openWorld();
  await world.volumes.createVolume(volumeId(7), { collection: "c", ttl: WEEK });
  await settle();
  expect((await assignIn(world, { ttl: WEEK })).volumeId).toBe(volumeId(7));
  expect((await assign(world)).volumeId).toBe(volumeId(8));
});
