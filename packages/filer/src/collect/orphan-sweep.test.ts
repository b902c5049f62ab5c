import { expect, test } from "bun:test";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import {
  type FilerWorld,
  MemoryVolumeError,
  TREE,
  codeOf,
  fileOf,
  noise,
  openTreeWorld,
  pathOf,
  write,
} from "../testing/index.ts";

const MIB = 1024 * 1024;
const ORPHAN: Fid = { volumeId: volumeId(1), needleId: needleId(77n), cookie: 5 };
const GRACE = { graceMs: 1000 };

async function orphanWorld(): Promise<FilerWorld> {
  const world = await openTreeWorld();
  await write(world, "kept", noise(MIB));
  await world.volumes.append(ORPHAN, noise(9));
  return world;
}

test("what nobody knows goes at the second sweep, when the grace is over", async () => {
  using world = await orphanWorld();
  expect(await world.filer.sweepOrphans(GRACE)).toEqual({
    scannedNeedles: 2,
    removedNeedles: 0,
    removedBytes: 0,
    waitingNeedles: 1,
  });
  world.clock.advance(999);
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ removedNeedles: 0 });
  world.clock.advance(1);
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({
    removedNeedles: 1,
    removedBytes: 9,
    waitingNeedles: 0,
  });
  expect(world.volumes.needleCount).toBe(1);
});

/** A second volume of the filer's own, before the first, that cannot be read. */
function addUnreadable(world: FilerWorld, code: string): void {
  const { volumes } = world;
  const [list, scan] = [volumes.volumes.bind(volumes), volumes.scan.bind(volumes)];
  volumes.volumes = async () => {
    const [first] = await list();
    return first === undefined ? [] : [{ ...first, id: volumeId(2), state: "failed" }, first];
  };
  volumes.scan = async function* (id) {
    if (id === volumeId(2)) throw new MemoryVolumeError(code);
    yield* scan(id);
  };
}

test.each(["volume-failed", "read-failed", "too-few-shards", "remote-failed"])(
  "a volume whose looking through ends with %s keeps no other from being swept",
  async (code) => {
    using world = await orphanWorld();
    addUnreadable(world, code);
    expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ waitingNeedles: 1 });
    world.clock.advance(1000);
    expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ removedNeedles: 1 });
  },
);

test("what was seen in a volume is not forgotten while it cannot be read, nor when it gives up nothing", async () => {
  using world = await orphanWorld();
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ waitingNeedles: 1 });
  world.clock.advance(1000);
  const scan = world.volumes.scan.bind(world.volumes);
  world.volumes.scan = () => {
    throw new MemoryVolumeError("volume-missing");
  };
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ waitingNeedles: 1 });
  world.volumes.scan = scan;
  world.volumes.beforeRemove = () => {
    throw new MemoryVolumeError("read-only");
  };
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ removedNeedles: 0 });
  world.volumes.beforeRemove = () => {
    throw new MemoryVolumeError("closed");
  };
  await world.filer.sweepOrphans(GRACE);
  world.clock.advance(1000);
  expect(await codeOf(world.filer.sweepOrphans(GRACE))).toBe("closed");
  world.volumes.beforeRemove = () => undefined;
  await world.filer.sweepOrphans(GRACE);
  world.clock.advance(1000);
  await world.filer.sweepOrphans(GRACE);
  expect(world.volumes.needleCount).toBe(1);
});

test("what nobody knows stays in volumes that the filer alone does not write to", async () => {
  using world = await orphanWorld();
  for (const collection of ["", "pictures", "kelp-filer-0000000000000000"]) {
    world.volumes.collection = collection;
    for (let round = 0; round < 2; round += 1) {
      expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({
        scannedNeedles: 0,
        removedNeedles: 0,
      });
      world.clock.advance(5000);
    }
    // The one that an entry names is told, and stays as well.
    expect(await Array.fromAsync(world.filer.check({ orphans: "remove" }))).toEqual([
      { kind: "shared-volume", volumeId: volumeId(1), collection, namedCount: 1 },
    ]);
  }
  expect(world.volumes.needleCount).toBe(2);
});

test("a sweep of some volumes touches no others, and forgets nothing of what was seen there", async () => {
  using world = await orphanWorld();
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ waitingNeedles: 1 });
  world.clock.advance(1000);
  const elsewhere = { ...GRACE, only: [volumeId(2)] };
  expect(await world.filer.sweepOrphans(elsewhere)).toMatchObject({
    scannedNeedles: 0,
    removedNeedles: 0,
    waitingNeedles: 1,
  });
  const here = { ...GRACE, only: [ORPHAN.volumeId] };
  expect(await world.filer.sweepOrphans(here)).toMatchObject({ removedNeedles: 1 });
});

test("two sweeps at once come one after the other", async () => {
  using world = await orphanWorld();
  const here = { ...GRACE, only: [ORPHAN.volumeId] };
  const reports = await Promise.all([
    world.filer.sweepOrphans(GRACE),
    world.filer.sweepOrphans(here),
    world.filer.sweepOrphans(GRACE),
  ]);
  expect(reports.map(({ waitingNeedles }) => waitingNeedles)).toEqual([1, 1, 1]);
  world.clock.advance(1000);
  expect(await world.filer.sweepOrphans(here)).toMatchObject({ removedNeedles: 1 });
});

test("a first sweep removes nothing, however long ago the needle came", async () => {
  using world = await orphanWorld();
  world.clock.advance(10_000);
  expect(await world.filer.sweepOrphans({ graceMs: 0 })).toMatchObject({ removedNeedles: 0 });
});

test("named chunks, garbage and bodies on their way are not touched", async () => {
  using world = await openTreeWorld();
  await write(world, "gone", noise(3 * MIB));
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("gone") });
  const reports: unknown[] = [];
  const result = await world.filer.writeFile({
    ...fileOf("b", noise(1)),
    body: (async function* sweptMidway() {
      yield noise(5 * MIB);
      for (let round = 0; round < 2; round += 1) {
        reports.push(await world.filer.sweepOrphans(GRACE));
        world.clock.advance(5000);
      }
      yield noise(5 * MIB);
    })(),
  });
  expect(result.kind).toBe("ok");
  expect(reports).toMatchObject([{ waitingNeedles: 0 }, { removedNeedles: 0 }]);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});

test("garbage is told from what nobody knows however few needles are held at once", async () => {
  // Two records in a list, four in a manifest.
  using world = await openTreeWorld({ lists: { recordsMax: 2, manifestRecordsMax: 4 } });
  for (const name of ["one", "two", "three"]) await write(world, name, noise(MIB));
  await write(world, "long", noise(11 * MIB));
  for (let id = 0n; id < 7n; id += 1n) {
    await world.volumes.append({ ...ORPHAN, needleId: needleId(1077n + id) }, noise(9));
  }
  for (const name of ["two", "three", "long"]) {
    await world.filer.deleteEntry({ tree: TREE, path: pathOf(name) });
  }
  const few = { ...GRACE, needlesAtOnce: 3 };
  const check = () => Array.fromAsync(world.filer.check({ needlesAtOnce: 3 }));
  expect((await check()).map(({ kind }) => kind)).toEqual(Array(7).fill("orphan-needle"));
  const before = world.volumes.needleCount;
  expect(await world.filer.sweepOrphans(few)).toMatchObject({ waitingNeedles: 7 });
  world.clock.advance(1000);
  expect(await world.filer.sweepOrphans(few)).toMatchObject({ removedNeedles: 7 });
  expect(world.volumes.needleCount).toBe(before - 7);
  expect(await check()).toEqual([]);
});

test("what a manifest lists that is being freed is no orphan, though nothing names it any more", async () => {
  using world = await openTreeWorld({ lists: { recordsMax: 2, manifestRecordsMax: 4 } });
  await write(world, "long", noise(11 * MIB));
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("long") });
  // The power goes between forgetting what is listed and removing it.
  const remove = world.volumes.remove.bind(world.volumes);
  world.volumes.remove = () => Promise.reject(new Error("the power is gone"));
  const failure: unknown = await world.filer
    .collect({ graceMs: 0 })
    .catch((error: unknown) => error);
  expect(String(failure)).toContain("the power is gone");
  world.volumes.remove = remove;
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ waitingNeedles: 0 });
  await world.filer.collect({ graceMs: 0 });
  expect(world.volumes.needleCount).toBe(0);
});

test("an entry that is committed between the sweeps keeps its chunk", async () => {
  using world = await orphanWorld();
  await world.filer.sweepOrphans(GRACE);
  world.clock.advance(5000);
  const address = Buffer.alloc(16);
  address.writeUInt32BE(1);
  address.writeBigUInt64BE(77n, 4);
  address.writeUInt32BE(5, 12);
  world.database.prepare("INSERT INTO chunk_refs (address, size_bytes) VALUES (?, 9)").run(address);
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ removedNeedles: 0 });
  expect(world.volumes.needleCount).toBe(2);
});

test("the pace is asked for every needle, and an abort ends the sweep", async () => {
  using world = await orphanWorld();
  const sizes: number[] = [];
  const pace = async (sizeBytes: number): Promise<void> => void sizes.push(sizeBytes);
  await world.filer.sweepOrphans({ pace });
  expect(sizes).toEqual([MIB, 9]);
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  expect(world.filer.sweepOrphans({ signal: stop.signal })).rejects.toThrow("stopped");
});

test("a torn record goes as any other that nobody knows; a damaged one that is named stays", async () => {
  using world = await orphanWorld();
  world.volumes.corrupt(ORPHAN);
  for await (const needle of world.volumes.scan(volumeId(1))) {
    if (needle.kind !== "live") continue;
    const { needleId: id, cookie } = needle;
    world.volumes.corrupt({ volumeId: volumeId(1), needleId: id, cookie });
  }
  await world.filer.sweepOrphans(GRACE);
  world.clock.advance(1000);
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ removedNeedles: 1 });
  world.clock.advance(5000);
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ removedNeedles: 0 });
  expect(await Array.fromAsync(world.filer.check())).toMatchObject([{ kind: "corrupt-needle" }]);
});

test("what an entry names stays though its reference is lost, in a manifest too", async () => {
  // Two records in a list, four in a manifest.
  using world = await openTreeWorld({ lists: { recordsMax: 2, manifestRecordsMax: 4 } });
  await write(world, "long", noise(20 * MIB));
  await world.volumes.append(ORPHAN, noise(9));
  const count = world.volumes.needleCount;
  world.database.execute("DELETE FROM chunk_refs");
  await world.filer.sweepOrphans(GRACE);
  world.clock.advance(5000);
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ removedNeedles: 1 });
  expect(world.volumes.needleCount).toBe(count - 1);
});
