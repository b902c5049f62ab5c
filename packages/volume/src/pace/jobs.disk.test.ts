import { expect, test } from "bun:test";
import type { Clock, Disk, DiskFile, ForegroundLoad } from "@kelp/base";
import { systemClock, systemDisk } from "@kelp/base/platform";
import { JOB_REST_FACTOR, JOB_SLICE_MS, JOB_SYNC_BYTES, WALK_BUFFER_BYTES } from "../limits.ts";
import type { VolumeStore } from "../store/volume-store.ts";
import { SMALL_BLOCKS } from "../testing/erasure-world.ts";
import { ONE, VolumeWorld, content, fid } from "../testing/volume-world.ts";

const UNHELD = { bytesPerSec: Number.POSITIVE_INFINITY };

/** What jobs ask of time: each look at the clock takes half a slice, and sleeps take nothing. */
class HurriedClock implements Clock {
  readonly slept: number[] = [];
  #monotonicMs = 0;
  nowMs(): number {
    return systemClock.nowMs();
  }
  nowNs(): bigint {
    return systemClock.nowNs();
  }
  monotonicMs(): number {
    this.#monotonicMs += JOB_SLICE_MS / 2;
    return this.#monotonicMs;
  }
  schedule(delayMs: number, run: () => void) {
    return systemClock.schedule(delayMs, run);
  }
  sleep(delayMs: number): Promise<void> {
    this.slept.push(delayMs);
    return Promise.resolve();
  }
}

const JOBS: readonly (readonly [string, (store: VolumeStore) => Promise<unknown>])[] = [
  ["vacuum", (store) => store.vacuum(ONE, UNHELD)],
  ["scrub", (store) => store.scrubVolume(ONE, UNHELD)],
  ["scan", (store) => Array.fromAsync(store.scan(ONE))],
  ["encode", (store) => store.encodeVolume(ONE, UNHELD)],
  ["scan of shards", (store) => Array.fromAsync(store.scan(ONE))],
  ["scrub of shards", (store) => store.scrubVolume(ONE, UNHELD)],
  ["decode", (store) => store.decodeVolume(ONE, UNHELD)],
];

async function sleepsOf(load: ForegroundLoad): Promise<Record<string, readonly number[]>> {
  using world = new VolumeWorld();
  const clock = new HurriedClock();
  await using store = await world.open({
    clock,
    shardBlocks: SMALL_BLOCKS,
    foreground: { load },
  });
  for (let id = 1; id <= 30; id++) await store.append(fid(id), content(id, 400));
  await store.remove([fid(1), fid(2)]);
  const sleeps: Record<string, readonly number[]> = {};
  for (const [name, run] of JOBS) {
    if (name === "encode") await store.setWritable(ONE, "read-only");
    clock.slept.length = 0;
    await run(store);
    sleeps[name] = [...clock.slept];
  }
  return sleeps;
}

test("every job gives up the thread, and rests while requests are served", async () => {
  const quiet = await sleepsOf("none");
  const busy = await sleepsOf("heavy");
  for (const [name] of JOBS) {
    const isQuiet = quiet[name]?.length !== 0 && quiet[name]?.every((ms) => ms === 0);
    const rests = busy[name]?.filter((ms) => ms >= JOB_SLICE_MS * JOB_REST_FACTOR.heavy) ?? [];
    expect([name, isQuiet, rests.length > 3]).toEqual([name, true, true]);
  }
});

/** The machine's disk, and the most that each file ever had written and not synced, by the end of its name. */
function watchedDisk(unsyncedMax: Map<string, number>): Disk {
  const watch = (file: DiskFile): DiskFile => {
    let unsyncedBytes = 0;
    const kind = /\.[a-z0-9]+(?=(\.[a-z]+)?$)/.exec(file.path)?.[0] ?? "";
    return {
      path: file.path,
      readAt: (target, offset) => file.readAt(target, offset),
      readAtSync: (target, offset) => file.readAtSync(target, offset),
      async writeAt(parts, offset) {
        await file.writeAt(parts, offset);
        unsyncedBytes += parts.reduce((sum, part) => sum + part.length, 0);
        unsyncedMax.set(kind, Math.max(unsyncedMax.get(kind) ?? 0, unsyncedBytes));
      },
      async sync() {
        await file.sync();
        unsyncedBytes = 0;
      },
      truncate: (sizeBytes) => file.truncate(sizeBytes),
      sizeBytes: () => file.sizeBytes(),
      close: () => file.close(),
      [Symbol.asyncDispose]: () => file.close(),
    };
  };
  return {
    ...systemDisk,
    open: async (path, options) => watch(await systemDisk.open(path, options)),
  };
}

test("no job leaves much unsynced, whatever it writes", async () => {
  using world = new VolumeWorld();
  const unsyncedMax = new Map<string, number>();
  await using store = await world.open({ disk: watchedDisk(unsyncedMax) });
  const needleBytes = 1024 * 1024;
  for (let id = 1; id <= 12; id++) {
    await store.append(fid(id), new Uint8Array(needleBytes));
  }
  unsyncedMax.clear();
  await store.vacuum(ONE, UNHELD);
  await store.setWritable(ONE, "read-only");
  await store.encodeVolume(ONE, { ...UNHELD, dataShards: 2, parityShards: 1 });
  await store.decodeVolume(ONE, UNHELD);
  // The piece that reached the bound counts with what stood there before.
  const boundBytes = JOB_SYNC_BYTES + WALK_BUFFER_BYTES;
  for (const kind of [".cpd", ".ec00", ".ec01", ".ec02", ".dat"]) {
    const most = unsyncedMax.get(kind) ?? 0;
    expect([kind, most > 0, most <= boundBytes]).toEqual([kind, true, true]);
  }
});
