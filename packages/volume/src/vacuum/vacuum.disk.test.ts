import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { systemDisk } from "@kelp/base/platform";
import { FaultyDisk } from "@kelp/base/testing";
import { type VolumeStatus, needleId } from "@kelp/wire";
import { SteppingDisk } from "../testing/stepping-disk.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { ONE, VolumeWorld, content, fid, readPlain, scanAll } from "../testing/volume-world.ts";

const FAST = { bytesPerSec: Number.POSITIVE_INFINITY };
const NEW_FILES = [".cpd", ".cpx", ".cpc"];

function leftOvers(world: VolumeWorld): string[] {
  return NEW_FILES.filter((end) => existsSync(`${world.folder}/1${end}`));
}

test("vacuum keeps what lives, frees what does not, and says so", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  for (let id = 1; id <= 20; id++) await store.append(fid(id), content(id, id * 100));
  await store.append(fid(3), content(33, 5000));
  await store.remove([1, 2, 20].map((id) => fid(id)));
  const [before] = await store.volumes();
  const report = await store.vacuum(ONE);
  const [after] = await store.volumes();
  expect(report).toEqual({
    bytesBefore: before?.sizeBytes ?? 0,
    bytesAfter: 8 + (before?.liveBytes ?? 0),
    liveCount: 17,
    damaged: [],
  });
  expect(after).toMatchObject({
    sizeBytes: report.bytesAfter,
    liveCount: 17,
    deletedCount: 0,
    deletedBytes: 0,
    needleIdMax: 20n,
    compactionRevision: 1,
    state: "writable",
  });
  expect(world.data().length).toBe(report.bytesAfter);
  expect(leftOvers(world)).toEqual([]);
  expect(await readPlain(store, fid(3))).toEqual([...content(33, 5000)]);
  expect(await store.read(fid(20))).toBeUndefined();
  expect((await scanAll(store)).length).toBe(17);
});

test("a vacuumed volume takes changes, and is the same after reopening", async () => {
  using world = new VolumeWorld();
  let before: VolumeStatus | undefined;
  {
    await using store = await world.open();
    for (let id = 1; id <= 5; id++) await store.append(fid(id), content(id, 3_000_000));
    await store.remove([fid(2), fid(5)]);
    await store.vacuum(ONE, FAST);
    await store.append(fid(6), content(6, 10));
    await store.append(fid(1), content(11, 20));
    await store.remove([fid(3)]);
    [before] = await store.volumes();
  }
  await using store = await world.open();
  const [after] = await store.volumes();
  expect(after).toEqual(before);
  expect(await readPlain(store, fid(1))).toEqual([...content(11, 20)]);
  expect(await store.read(fid(3))).toBeUndefined();
  expect((await store.read(fid(4)))?.length).toBe(3_000_000);
  expect(await readPlain(store, fid(6))).toEqual([...content(6, 10)]);
  expect(await codeOf(store.vacuum(ONE, FAST))).toBeUndefined();
  expect((await store.volumes())[0]).toMatchObject({ compactionRevision: 2, deletedBytes: 0 });
});

test("a scan that began before a vacuum ends on the old files", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  for (let id = 1; id <= 3; id++) await store.append(fid(id), content(id, 2_000_000));
  await store.remove([fid(1)]);
  const scan = store.scan(ONE);
  const first = await scan.next();
  await store.vacuum(ONE, FAST);
  await store.remove([fid(3)]);
  const rest = [await scan.next(), await scan.next()];
  expect([first, ...rest].map((each) => each.value?.needleId)).toEqual([2n, 3n, undefined]);
  expect((await scanAll(store)).map((needle) => needle.needleId)).toEqual([needleId(2n)]);
});

const FIRST = 8;
/** Of a needle of 100 bytes. */
const RECORD = 136;
const TOMBSTONE = 32;

/** Needles 1 to `count` of 100 bytes, of which the first is removed. */
async function withGarbage(world: VolumeWorld, count: number): Promise<void> {
  await world.appendAll(Array.from({ length: count }, () => 100));
  await using store = await world.open();
  await store.remove([fid(1)]);
}

// Of the second record: where, and what the vacuum then says of it. The cookie is under no checksum of the format.
test.each([
  ["the data", 50, "checksum is"],
  ["the checksum", 122, "checksum is"],
  ["the id", 11, "another needle stands there"],
  ["the size", 14, "no record stands there"],
])(
  "a live needle whose bytes are damaged in %s is carried over as it is, and stays quarantined",
  async (_name, at, reason) => {
    using world = new VolumeWorld();
    await withGarbage(world, 4);
    const place = FIRST + RECORD;
    world.spoilData((data) =>
      data.fill(data.readUInt8(place + at) ^ 0x80, place + at, place + at + 1),
    );
    const record = world.data().subarray(place, place + RECORD);
    {
      await using store = await world.open();
      await store.scrubVolume(ONE, FAST);
      expect(store.quarantined()).toMatchObject([{ what: "2", offsetBytes: place }]);
      const report = await store.vacuum(ONE, FAST);
      expect(report).toMatchObject({
        bytesAfter: FIRST + 3 * RECORD,
        liveCount: 3,
        damaged: [{ volumeId: ONE, what: "2", offsetBytes: FIRST }],
      });
      expect(report.damaged[0]?.reason).toStartWith(reason);
      expect(store.quarantined()).toMatchObject([{ what: "2", offsetBytes: FIRST }]);
      expect(await codeOf(store.read(fid(2)))).toBe("needle-corrupt");
      expect(world.data().subarray(FIRST, FIRST + RECORD)).toEqual(record);
      expect(leftOvers(world)).toEqual([]);
    }
    await using store = await world.open();
    expect(store.quarantined()).toMatchObject([{ what: "2", offsetBytes: FIRST }]);
    expect(await codeOf(store.read(fid(2)))).toBe("needle-corrupt");
    expect(await readPlain(store, fid(3))).toEqual([...content(3, 100)]);
    expect((await scanAll(store)).map(({ kind }) => kind)).toEqual(["corrupt", "live", "live"]);
    // Again, from the place where it stands now.
    expect((await store.vacuum(ONE, FAST)).damaged).toMatchObject([{ what: "2" }]);
    // Another copy of the needle takes its place.
    await store.append(fid(5), content(5, 100));
    expect((await store.vacuum(ONE, FAST)).liveCount).toBe(4);
  },
);

test("a damaged needle that a vacuum carried over is whole again once its bytes are", async () => {
  using world = new VolumeWorld();
  await withGarbage(world, 3);
  const good = world.data().readUInt8(FIRST + RECORD + 50);
  world.spoilData((data) => data.fill(good ^ 1, FIRST + RECORD + 50, FIRST + RECORD + 51));
  {
    await using store = await world.open();
    await store.vacuum(ONE, FAST);
    expect(await codeOf(store.read(fid(2)))).toBe("needle-corrupt");
  }
  world.spoilData((data) => data.fill(good, FIRST + 50, FIRST + 51));
  await using store = await world.open();
  await store.scrubVolume(ONE, FAST);
  expect(store.quarantined()).toEqual([]);
  expect(await readPlain(store, fid(2))).toEqual([...content(2, 100)]);
});

test("a damaged needle that is removed or overwritten is in nobody's way", async () => {
  using world = new VolumeWorld();
  await withGarbage(world, 4);
  for (const each of [1, 2]) {
    const at = FIRST + each * RECORD + 50;
    world.spoilData((data) => data.fill(0xff, at, at + 1));
  }
  await using store = await world.open();
  await store.remove([fid(2)]);
  await store.append(fid(3), content(33, 100));
  expect(await store.vacuum(ONE, FAST)).toMatchObject({ liveCount: 2, damaged: [] });
  expect(store.quarantined()).toEqual([]);
});

test("a damaged needle that is larger than what is read at once is carried over whole", async () => {
  using world = new VolumeWorld();
  await world.appendAll([10, 3_000_000, 10]);
  const record = world.data().subarray(FIRST + 48, -48);
  record[2_000_000] = (record[2_000_000] ?? 0) ^ 1;
  world.spoilData((data) => {
    record.copy(data, FIRST + 48);
    return data;
  });
  await using store = await world.open();
  await store.remove([fid(1)]);
  expect((await store.vacuum(ONE, FAST)).damaged).toMatchObject([{ what: "2", offsetBytes: 8 }]);
  expect(
    world
      .data()
      .subarray(FIRST, FIRST + record.length)
      .equals(record),
  ).toBe(true);
  expect(await readPlain(store, fid(3))).toEqual([...content(3, 10)]);
});

test("when the index may be wrong about a place, a vacuum touches nothing and says what helps", async () => {
  using world = new VolumeWorld();
  await withGarbage(world, 4);
  // The entry of needle 3 names the place of needle 2.
  world.spoilIndex((index) => {
    index.copy(index, 2 * 16 + 8, 16 + 8, 16 + 12);
    return index;
  });
  const before = world.data();
  await using store = await world.open();
  const failure: unknown = await store.vacuum(ONE).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "needle-corrupt" });
  expect(String(failure)).toContain("needle 3 at 144 is damaged: another needle stands there");
  expect(String(failure)).toContain("at 280; the index may be wrong: kelp fsck --rebuild-index");
  expect(world.data()).toEqual(before);
  expect(leftOvers(world)).toEqual([]);
});

// Of the last record, which replaced one of the same needle.
test.each([
  ["the size", 14, "no record stands there"],
  ["the id", 10, "another needle stands there"],
])(
  "an earlier version of a needle keeps no vacuum from carrying over one damaged in %s",
  async (_name, at, reason) => {
    using world = new VolumeWorld();
    await withGarbage(world, 4);
    {
      await using store = await world.open();
      await store.append(fid(2), content(22, 100));
      await store.append(fid(5), content(5, 100));
    }
    // Behind 4 needles and the tombstone of the first.
    const place = FIRST + 4 * RECORD + TOMBSTONE;
    world.spoilData((data) =>
      data.fill(data.readUInt8(place + at) ^ 0x80, place + at, place + at + 1),
    );
    const record = world.data().subarray(place, place + RECORD);
    await using store = await world.open();
    const report = await store.vacuum(ONE, FAST);
    const offsetBytes = FIRST + 2 * RECORD;
    expect(report).toMatchObject({ liveCount: 4, damaged: [{ what: "2", offsetBytes, reason }] });
    expect(world.data().subarray(offsetBytes, offsetBytes + RECORD)).toEqual(record);
    expect(await codeOf(store.read(fid(2)))).toBe("needle-corrupt");
    expect(await readPlain(store, fid(5))).toEqual([...content(5, 100)]);
  },
);

test("an index that names an earlier version of a needle is doubted by a vacuum when that is damaged", async () => {
  using world = new VolumeWorld();
  await world.appendAll([100, 100, 100]);
  {
    await using store = await world.open();
    await store.append(fid(2), content(22, 100));
    await store.append(fid(4), content(4, 100));
  }
  // The entry of the later version names the earlier one.
  world.spoilIndex((index) => {
    index.copy(index, 3 * 16 + 8, 16 + 8, 16 + 12);
    return index;
  });
  world.spoilData((data) => data.fill(0xff, FIRST + RECORD + 12, FIRST + RECORD + 13));
  await using store = await world.open();
  const failure: unknown = await store.vacuum(ONE).catch((error: unknown) => error);
  expect(String(failure)).toContain(
    `needle 2 at ${FIRST + RECORD} is damaged: no record stands there, and a record of that name at ${FIRST + 3 * RECORD}`,
  );
});

test("without space for what lives a vacuum does not begin", async () => {
  using world = new VolumeWorld();
  const disk = new FaultyDisk(systemDisk);
  await using store = await world.open({ disk });
  for (let id = 1; id <= 4; id++) await store.append(fid(id), content(id, 1_000_000));
  await store.remove([fid(1)]);
  disk.spaceBytes = 33 * 1024 * 1024;
  disk.writeCount = 0;
  expect(await codeOf(store.vacuum(ONE))).toBe("out-of-space");
  expect(disk.writeCount).toBe(0);
  // What is garbage needs no space.
  await store.remove([2, 3].map((id) => fid(id)));
  disk.spaceBytes = 34 * 1024 * 1024;
  expect((await store.vacuum(ONE, FAST)).liveCount).toBe(1);
});

test("when others use up the space meanwhile a vacuum gives back what it took", async () => {
  using world = new VolumeWorld();
  const disk = new SteppingDisk(systemDisk);
  await using store = await world.open({ disk });
  for (let id = 1; id <= 20; id++) await store.append(fid(id), content(1, 2_000_000));
  await store.remove([fid(1)]);
  const before = await store.volumes();
  disk.onStep = () => {
    if (disk.steps.includes("write 1.cpd")) disk.availableBytes = 1_000_000;
  };
  expect(await codeOf(store.vacuum(ONE, FAST))).toBe("out-of-space");
  expect(disk.steps).not.toContain("create 1.cpc");
  expect(leftOvers(world)).toEqual([]);
  expect(await store.volumes()).toEqual(before);
});

test("a full volume takes needles again when a vacuum made room", async () => {
  using world = new VolumeWorld();
  await using store = await world.open({ volumeSizeBytesMax: 1000, fullGraceBytes: 0 });
  await store.append(fid(1), content(1, 500));
  await store.append(fid(2), content(2, 300));
  expect(await codeOf(store.append(fid(3), content(3, 300)))).toBe("volume-full");
  await store.remove([fid(1)]);
  const states: string[] = [];
  using _watch = store.watchStates(({ state }) => states.push(state));
  await store.vacuum(ONE);
  expect(states).toEqual(["writable"]);
  await store.append(fid(3), content(3, 300));
});

test("a vacuum ends when its caller or the store says so, and leaves nothing behind", async () => {
  using world = new VolumeWorld();
  const store = await world.open();
  for (let id = 1; id <= 3; id++) await store.append(fid(id), content(id, 1_000_000));
  await store.remove([fid(1)]);
  const reason = new Error("enough");
  const stopped = store.vacuum(ONE, { signal: AbortSignal.abort(reason) });
  expect(await stopped.catch((error: unknown) => error)).toBe(reason);
  const slow = codeOf(store.vacuum(ONE, { bytesPerSec: 1 }));
  expect(await codeOf(store.vacuum(ONE))).toBe("job-running");
  await store.close();
  expect(await slow).toBe("closed");
  expect(leftOvers(world)).toEqual([]);
});

test("an opening drops what an unfinished vacuum left, and finishes one that was committed", async () => {
  using world = new VolumeWorld();
  await world.appendAll([10, 20]);
  const data = world.data();
  const index = world.index();
  // Not committed: the new files may be anything.
  writeFileSync(`${world.folder}/1.cpd`, "half");
  writeFileSync(`${world.folder}/1.cpx`, "written");
  {
    await using store = await world.open();
    expect(await readPlain(store, fid(2))).toEqual([...content(2, 20)]);
  }
  expect(leftOvers(world)).toEqual([]);
  // Committed by SeaweedFS, whose commit says nothing: the new files are the volume.
  writeFileSync(`${world.folder}/1.cpd`, data);
  writeFileSync(`${world.folder}/1.cpx`, index);
  writeFileSync(`${world.folder}/1.cpc`, "");
  world.spoilData(() => data.subarray(0, 8));
  world.spoilIndex(() => Buffer.alloc(0));
  await using store = await world.open();
  expect(await readPlain(store, fid(2))).toEqual([...content(2, 20)]);
  expect(leftOvers(world)).toEqual([]);
});

test("a commit that should be gone does not put a later, half-written vacuum in place", async () => {
  using world = new VolumeWorld();
  await world.appendAll([10, 20]);
  const half = world.data().subarray(0, 48);
  writeFileSync(`${world.folder}/1.cpd`, half);
  writeFileSync(`${world.folder}/1.cpx`, "");
  writeFileSync(
    `${world.folder}/1.cpc`,
    JSON.stringify({ compactionRevision: 0, dataBytes: world.data().length }),
  );
  await using store = await world.open();
  expect(await readPlain(store, fid(2))).toEqual([...content(2, 20)]);
  expect(leftOvers(world)).toEqual([]);
});

test("the highest needle id is remembered when its needle is gone", async () => {
  using world = new VolumeWorld();
  {
    await using store = await world.open();
    await store.append(fid(1), content(1, 10));
    await store.append(fid(900), content(9, 10));
    await store.remove([fid(900)]);
    await store.vacuum(ONE);
    expect((await store.volumes())[0]?.needleIdMax).toBe(900n);
  }
  await using store = await world.open();
  expect((await store.volumes())[0]).toMatchObject({ needleIdMax: 900n, liveCount: 1 });
  expect(await store.read(fid(900))).toBeUndefined();
});
