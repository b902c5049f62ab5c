import { expect, test } from "bun:test";
import { systemDisk } from "@kelp/base/platform";
import { FaultyDisk } from "@kelp/base/testing";
import type { VolumeStateChange } from "@kelp/wire";
import { NEEDLE_DATA_BYTES_MAX, QUEUE_COUNT_MAX } from "../limits.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { ONE, VolumeWorld, content, fid, readPlain, scanAll } from "../testing/volume-world.ts";

function dataDisk(): FaultyDisk {
  const disk = new FaultyDisk(systemDisk);
  disk.onlyPathEnd = ".dat";
  return disk;
}

test("appends that come during a sync share the next one", async () => {
  using world = new VolumeWorld();
  const disk = dataDisk();
  await using store = await world.open({ disk });
  disk.syncCount = 0;
  disk.writeCount = 0;
  const gate = Promise.withResolvers<void>();
  disk.syncGate = gate.promise;
  const appends = [store.append(fid(1), content(1, 4096))];
  // One turn of the event loop, so that the first batch is on its way.
  await new Promise((resolve) => setImmediate(resolve));
  for (let id = 2; id <= 100; id++) appends.push(store.append(fid(id), content(id, 4096)));
  gate.resolve();
  await Promise.all(appends);
  expect({ syncs: disk.syncCount, writes: disk.writeCount }).toEqual({ syncs: 2, writes: 2 });
});

test("an append is neither acknowledged nor readable before its sync", async () => {
  using world = new VolumeWorld();
  const disk = dataDisk();
  await using store = await world.open({ disk });
  const gate = Promise.withResolvers<void>();
  disk.syncGate = gate.promise;
  let isSettled = false;
  const append = store.append(fid(1), content(1, 10)).then(() => (isSettled = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isSettled).toBe(false);
  expect(await store.read(fid(1))).toBeUndefined();
  gate.resolve();
  await append;
  expect(await readPlain(store, fid(1))).toEqual([...content(1, 10)]);
});

test("without space an append fails, leaves nothing, and succeeds once there is space", async () => {
  using world = new VolumeWorld();
  const disk = dataDisk();
  await using store = await world.open({ disk });
  await store.append(fid(1), content(1, 100));
  const before = world.data();
  disk.spaceBytes = 50;
  expect(await codeOf(store.append(fid(2), content(2, 100)))).toBe("out-of-space");
  expect(world.data()).toEqual(before);
  expect((await store.volumes())[0]?.state).toBe("writable");
  disk.spaceBytes = Number.POSITIVE_INFINITY;
  await store.append(fid(3), content(3, 100));
  expect(await readPlain(store, fid(3))).toEqual([...content(3, 100)]);
  expect(await store.read(fid(2))).toBeUndefined();
});

test("without space a large append fails and leaves nothing", async () => {
  using world = new VolumeWorld();
  const disk = dataDisk();
  await using store = await world.open({ disk });
  disk.spaceBytes = 1_000_000;
  expect(await codeOf(store.append(fid(1), content(1, 2_000_000)))).toBe("out-of-space");
  expect(world.data().length).toBe(8);
});

test("a volume that cannot be cut back after running out of space fails", async () => {
  using world = new VolumeWorld();
  const disk = dataDisk();
  await using store = await world.open({ disk });
  disk.spaceBytes = 50;
  disk.failsTruncate = true;
  expect(await codeOf(store.append(fid(1), content(1, 100)))).toBe("volume-failed");
  expect((await store.volumes())[0]?.state).toBe("failed");
});

test.each(["EIO", "ENOSPC"])(
  "a sync that fails with %s poisons the volume for good",
  async (code) => {
    using world = new VolumeWorld();
    const disk = dataDisk();
    await using store = await world.open({ disk });
    const changes: VolumeStateChange[] = [];
    using _watch = store.watchStates((change) => changes.push(change));
    await store.append(fid(1), content(1, 100));
    disk.syncsUntilFailure = 1;
    disk.syncFailure = code;
    expect(await codeOf(store.append(fid(2), content(2, 100)))).toBe("volume-failed");
    disk.syncsUntilFailure = Number.POSITIVE_INFINITY;
    expect(await codeOf(store.append(fid(3), content(3, 100)))).toBe("volume-failed");
    expect(await codeOf(store.remove([fid(1)]))).toBe("volume-failed");
    expect(changes).toEqual([{ id: ONE, collection: "", state: "failed" }]);
    expect(await readPlain(store, fid(1))).toEqual([...content(1, 100)]);
    expect(await store.read(fid(2))).toBeUndefined();
  },
);

test("a failed write fails those who wait behind it, too", async () => {
  using world = new VolumeWorld();
  const disk = dataDisk();
  await using store = await world.open({ disk });
  const gate = Promise.withResolvers<void>();
  disk.syncGate = gate.promise;
  const first = store.append(fid(1), content(1, 10));
  await new Promise((resolve) => setImmediate(resolve));
  const second = codeOf(store.append(fid(2), content(2, 10)));
  const third = codeOf(store.append(fid(2), content(2, 10)));
  disk.writesUntilFailure = 1;
  gate.resolve();
  await first;
  expect(await Promise.all([second, third])).toEqual(["volume-failed", "volume-failed"]);
});

test("a poisoned volume is repaired by opening it again", async () => {
  using world = new VolumeWorld();
  const disk = dataDisk();
  {
    await using store = await world.open({ disk });
    await store.append(fid(1), content(1, 100));
    disk.writesUntilFailure = 1;
    expect(await codeOf(store.append(fid(2), content(2, 100)))).toBe("volume-failed");
  }
  await using store = await world.open();
  expect(await store.read(fid(2))).toBeUndefined();
  await store.append(fid(3), content(3, 100));
  expect(await scanAll(store)).toMatchObject([{ needleId: 1n }, { needleId: 3n }]);
});

test("a volume over its size limit is full, and takes what was assigned before within its grace", async () => {
  using world = new VolumeWorld();
  await using store = await world.open({ volumeSizeBytesMax: 1000, fullGraceBytes: 500 });
  const changes: VolumeStateChange[] = [];
  using _watch = store.watchStates((change) => changes.push(change));
  await store.append(fid(1), content(1, 900));
  expect(changes).toEqual([]);
  await store.append(fid(2), content(2, 100));
  expect(changes).toEqual([{ id: ONE, collection: "", state: "full" }]);
  await store.append(fid(3), content(3, 300));
  expect(await codeOf(store.append(fid(4), content(4, 300)))).toBe("volume-full");
});

test("a needle that does not fit any more makes the volume full", async () => {
  using world = new VolumeWorld();
  await using store = await world.open({ volumeSizeBytesMax: 1000, fullGraceBytes: 0 });
  await store.append(fid(1), content(1, 500));
  expect(await codeOf(store.append(fid(2), content(2, 600)))).toBe("volume-full");
  expect((await store.volumes())[0]?.state).toBe("full");
});

test("a needle that fits in no volume is too large and fills none", async () => {
  using world = new VolumeWorld();
  await using store = await world.open({ volumeSizeBytesMax: 1000, fullGraceBytes: 0 });
  expect(await codeOf(store.append(fid(1), content(1, 2000)))).toBe("needle-too-large");
  expect((await store.volumes())[0]?.state).toBe("writable");
});

test("data beyond the limit of a needle is refused", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  const data = new Uint8Array(NEEDLE_DATA_BYTES_MAX + 1);
  expect(await codeOf(store.append(fid(1), data))).toBe("needle-too-large");
});

test("a queue that is full refuses, and takes appends again when it is empty", async () => {
  using world = new VolumeWorld();
  const disk = dataDisk();
  await using store = await world.open({ disk });
  const gate = Promise.withResolvers<void>();
  disk.syncGate = gate.promise;
  const first = store.append(fid(1), content(1, 1));
  await new Promise((resolve) => setImmediate(resolve));
  const waiting: Promise<void>[] = [];
  for (let id = 2; id <= 1 + QUEUE_COUNT_MAX; id++)
    waiting.push(store.append(fid(id), content(id, 1)));
  expect(await codeOf(store.append(fid(99_999), content(1, 1)))).toBe("overloaded");
  gate.resolve();
  await Promise.all([first, ...waiting]);
  await store.append(fid(99_999), content(1, 1));
  expect((await store.volumes())[0]?.liveCount).toBe(QUEUE_COUNT_MAX + 2);
}, 30_000);

test("more removals than one round are all done", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  const fids = Array.from({ length: 3000 }, (_, index) => fid(index + 1));
  await Promise.all(fids.map((address) => store.append(address, content(1, 1))));
  await store.remove(fids);
  expect((await store.volumes())[0]).toMatchObject({ liveCount: 0, deletedCount: 3000 });
});

test("a full volume takes removals", async () => {
  using world = new VolumeWorld();
  await using store = await world.open({ volumeSizeBytesMax: 100, fullGraceBytes: 0 });
  await store.append(fid(1), content(1, 50));
  await store.append(fid(2), content(2, 1)).catch(() => undefined);
  await store.remove([fid(1)]);
  expect(await store.read(fid(1))).toBeUndefined();
});

test("a full volume is full after reopening", async () => {
  using world = new VolumeWorld();
  await world.appendAll([1000]);
  await using store = await world.open({ volumeSizeBytesMax: 500 });
  expect((await store.volumes())[0]?.state).toBe("full");
});

test("dates of records increase strictly, across a clock that steps back and across reopening", async () => {
  using world = new VolumeWorld();
  const clockAt = (ns: bigint) => ({
    nowMs: () => Number(ns / 1_000_000n),
    nowNs: () => ns,
    monotonicMs: () => 0,
    schedule: () => ({ cancel: () => undefined }),
    sleep: async () => undefined,
  });
  {
    await using store = await world.open({ clock: clockAt(5_000n) });
    await Promise.all([store.append(fid(1), content(1, 1)), store.append(fid(2), content(2, 1))]);
  }
  {
    await using store = await world.open({ clock: clockAt(1_000n) });
    await store.append(fid(3), content(3, 1));
  }
  // Records of one byte: 16 + (4 + 1 + 1) + 12 = 34 bytes, padded to 40; the date stands at 16 + 6 + 4.
  const dates = [0, 1, 2].map((index) => world.data().readBigUInt64BE(8 + index * 40 + 26));
  expect(dates).toEqual([5_000n, 5_001n, 5_002n]);
});

test("an index file that cannot be written loses nothing", async () => {
  using world = new VolumeWorld();
  const disk = new FaultyDisk(systemDisk);
  disk.onlyPathEnd = ".idx";
  {
    await using store = await world.open({ disk });
    disk.spaceBytes = 20;
    await store.append(fid(1), content(1, 10));
    await store.append(fid(2), content(2, 10));
    await store.remove([fid(1)]);
  }
  expect(world.index().length).toBeLessThan(48);
  await using store = await world.open();
  expect(await scanAll(store)).toMatchObject([{ needleId: 2n }]);
  expect(world.index().length).toBe(48);
});

test("entries that the index file refused are written once it takes them again", async () => {
  using world = new VolumeWorld();
  const disk = new FaultyDisk(systemDisk);
  disk.onlyPathEnd = ".idx";
  {
    await using store = await world.open({ disk });
    disk.spaceBytes = 20;
    await store.append(fid(1), content(1, 10));
    await store.append(fid(2), content(2, 10));
    disk.spaceBytes = Number.POSITIVE_INFINITY;
    await store.append(fid(3), content(3, 10));
  }
  const ids = [0, 16, 32].map((at) => world.index().readBigUInt64BE(at));
  expect(ids).toEqual([1n, 2n, 3n]);
});

test("close waits for appends under way and refuses later ones", async () => {
  using world = new VolumeWorld();
  const store = await world.open();
  const append = store.append(fid(1), content(1, 100_000));
  const closing = store.close();
  expect(await codeOf(store.append(fid(2), content(2, 1)))).toBe("closed");
  await closing;
  await append;
  await using reopened = await world.open();
  expect(await readPlain(reopened, fid(1))).toEqual([...content(1, 100_000)]);
});

test("a volume that cannot be made for want of space leaves no file behind", async () => {
  using world = new VolumeWorld();
  const disk = dataDisk();
  disk.spaceBytes = 4;
  expect(await codeOf(world.open({ disk }))).toBe("out-of-space");
  expect(await systemDisk.exists(world.dataPath)).toBe(false);
});
