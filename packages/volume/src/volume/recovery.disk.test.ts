import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { FaultyDisk } from "@kelp/base/testing";
import type { VolumeStatus } from "@kelp/wire";
import { rebuildIndexes } from "../store/rebuild-indexes.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { VolumeWorld, content, fid, readPlain, scanAll } from "../testing/volume-world.ts";

/** Records of 100 bytes of data: 16 + (4 + 100 + 1) + 12 = 133, padded to 136. */
const RECORD = 136;
const SUPERBLOCK = 8;

async function statusOf(world: VolumeWorld): Promise<VolumeStatus | undefined> {
  await using store = await world.open();
  return (await store.volumes())[0];
}

/** Three needles of 100 bytes, the second removed, the first replaced, one empty. */
async function withHistory(world: VolumeWorld): Promise<void> {
  await using store = await world.open();
  for (const id of [1, 2, 3]) await store.append(fid(id), content(id, 100));
  await store.remove([fid(2)]);
  await store.append(fid(1), content(11, 50));
  await store.append(fid(4), new Uint8Array(0));
}

test.each([
  ["is missing", undefined],
  ["is empty", (index: Buffer) => index.subarray(0, 0)],
  ["lacks its last entries", (index: Buffer) => index.subarray(0, 32)],
  ["ends in the middle of an entry", (index: Buffer) => index.subarray(0, 41)],
  ["ends in zeros", (index: Buffer) => Buffer.concat([index.subarray(0, 48), Buffer.alloc(48)])],
  ["has a lost page in the middle", (index: Buffer) => index.fill(0, 16, 48)],
  ["names offsets beyond the volume", (index: Buffer) => index.fill(0x7f, 24, 28)],
  ["belongs to another volume", (index: Buffer) => index.fill(9, 0, 8).fill(9, 80, 88)],
  ["has more than it should", (index: Buffer) => Buffer.concat([index, Buffer.alloc(16, 0x11)])],
])("the same needles and counters are found when the index file %s", async (_name, spoil) => {
  using world = new VolumeWorld();
  await withHistory(world);
  const before = await statusOf(world);
  const indexBefore = world.index();
  if (spoil === undefined) rmSync(world.indexPath);
  else world.spoilIndex(spoil);
  {
    await using store = await world.open();
    expect((await store.volumes())[0]).toEqual(before);
    expect(await readPlain(store, fid(1))).toEqual([...content(11, 50)]);
    expect(await store.read(fid(2))).toBeUndefined();
    expect(await readPlain(store, fid(3))).toEqual([...content(3, 100)]);
    expect(await readPlain(store, fid(4))).toEqual([]);
  }
  expect(world.index()).toEqual(indexBefore);
});

test("opening with a good index file does not walk through the volume", async () => {
  using world = new VolumeWorld();
  await world.appendAll(Array.from({ length: 50 }, () => 100_000));
  const disk = new FaultyDisk(systemDisk);
  disk.onlyPathEnd = ".dat";
  await using store = await world.open({ disk });
  expect(disk.readBytes).toBeLessThan(200);
  expect((await store.volumes())[0]?.liveCount).toBe(50);
});

test("an append torn at any byte is cut off, and nothing before it", async () => {
  for (let cut = 0; cut < RECORD; cut++) {
    using world = new VolumeWorld();
    await world.appendAll([100, 100, 100]);
    world.spoilIndex((index) => index.subarray(0, 32));
    world.spoilData((data) => data.subarray(0, SUPERBLOCK + 2 * RECORD + cut));
    await using store = await world.open();
    expect(world.data().length).toBe(SUPERBLOCK + 2 * RECORD);
    expect(await scanAll(store)).toMatchObject([{ needleId: 1n }, { needleId: 2n }]);
  }
}, 30_000);

test("appends go on after a cut, and all is there after the next opening", async () => {
  using world = new VolumeWorld();
  await world.appendAll([100, 100]);
  world.spoilIndex((index) => index.subarray(0, 16));
  world.spoilData((data) => data.subarray(0, data.length - 1));
  {
    await using store = await world.open();
    await store.append(fid(3), content(3, 100));
  }
  rmSync(world.indexPath);
  await using store = await world.open();
  expect(await scanAll(store)).toMatchObject([{ needleId: 1n }, { needleId: 3n }]);
});

test.each([
  ["zeros", (data: Buffer) => Buffer.concat([data, Buffer.alloc(5000)])],
  ["noise", (data: Buffer) => Buffer.concat([data, Buffer.from(content(5, 5000))])],
  ["a wrong checksum", (data: Buffer) => Buffer.concat([data, spoiltRecord(data)])],
  [
    "two records with wrong checksums",
    (data: Buffer) => Buffer.concat([data, spoiltRecord(data), spoiltRecord(data)]),
  ],
])("a tail of %s is cut off", async (_name, spoil) => {
  using world = new VolumeWorld();
  await world.appendAll([100, 100]);
  const good = world.data();
  world.spoilData(spoil);
  await using store = await world.open();
  expect(world.data()).toEqual(good);
  expect((await store.volumes())[0]).toMatchObject({ liveCount: 2, sizeBytes: good.length });
});

function spoiltRecord(data: Buffer): Buffer {
  const record = Buffer.from(data.subarray(SUPERBLOCK, SUPERBLOCK + RECORD));
  return record.fill(0xff, 40, 50);
}

test.each([
  ["in one record", 2 * RECORD - 20],
  ["into the header of the next", 2 * RECORD + 15],
  ["into the data of the next", 2 * RECORD + 50],
])("damage before good needles, %s, is kept, and reading it says so", async (_name, end) => {
  using world = new VolumeWorld();
  await world.appendAll([100, 100, 100, 100]);
  rmSync(world.indexPath);
  world.spoilData((data) => data.fill(0xff, SUPERBLOCK + RECORD + 40, SUPERBLOCK + end));
  const spoilt = world.data();
  await using store = await world.open();
  expect(world.data()).toEqual(spoilt);
  expect(await codeOf(store.read(fid(2)))).toBe("needle-corrupt");
  expect(await readPlain(store, fid(4))).toEqual([...content(4, 100)]);
});

test("a damaged header before good needles hides none of them", async () => {
  using world = new VolumeWorld();
  await world.appendAll([100, 100, 100]);
  rmSync(world.indexPath);
  // The size field of the second record.
  world.spoilData((data) => data.fill(0xff, SUPERBLOCK + RECORD + 12, SUPERBLOCK + RECORD + 16));
  const spoilt = world.data();
  await using store = await world.open();
  expect(world.data()).toEqual(spoilt);
  expect(await readPlain(store, fid(1))).toEqual([...content(1, 100)]);
  expect(await readPlain(store, fid(3))).toEqual([...content(3, 100)]);
});

// The search begins 8 bytes behind the damaged header, at 16, and looks at WALK_BUFFER_BYTES at a time. A record
// of 1,048,527 bytes of data has 1,048,568, so that the next begins 16 bytes before the end of the first look.
test.each([-16, -8, 0, 8, 16, 24])(
  "a good needle %i bytes from where the search looks twice is found",
  async (shift) => {
    using world = new VolumeWorld();
    await world.appendAll([1_048_527 + shift, 100, 100]);
    rmSync(world.indexPath);
    world.spoilData((data) => data.fill(0xff, SUPERBLOCK + 12, SUPERBLOCK + 16));
    await using store = await world.open();
    expect(await scanAll(store)).toMatchObject([{ needleId: 2n }, { needleId: 3n }]);
  },
);

test("behind a gap a removal still counts, and a record with another cookie replaces nothing", async () => {
  using world = new VolumeWorld();
  {
    await using store = await world.open();
    for (const id of [1, 2, 3]) await store.append(fid(id), content(id, 100));
    await store.append(fid(4), content(4, 100));
    await store.remove([fid(1)]);
  }
  rmSync(world.indexPath);
  world.spoilData((data) => {
    // The third record loses its size; the fourth claims to be the second needle, with another cookie.
    data.fill(0xff, SUPERBLOCK + 2 * RECORD + 12, SUPERBLOCK + 2 * RECORD + 16);
    data.writeUInt32BE(0x6666_6666, SUPERBLOCK + 3 * RECORD);
    data.writeBigUInt64BE(2n, SUPERBLOCK + 3 * RECORD + 4);
    return data;
  });
  await using store = await world.open();
  expect(await store.read(fid(1))).toBeUndefined();
  expect(await readPlain(store, fid(2))).toEqual([...content(2, 100)]);
});

test("a torn append of bytes that imitate a record does not use up the needle ids", async () => {
  using world = new VolumeWorld();
  {
    await using store = await world.open();
    await store.append(fid(1), content(1, 100));
    // Four bytes bring what follows to a multiple of 8; the record claims the last id of all.
    const forged = Buffer.from(world.data().subarray(SUPERBLOCK, SUPERBLOCK + RECORD));
    forged.fill(0xff, 4, 12);
    await store.append(fid(2), Buffer.concat([Buffer.alloc(4), forged, Buffer.alloc(1000)]));
  }
  world.spoilIndex((index) => index.subarray(0, 16));
  // The date of the forgery must be later than the first record's to be found at all.
  world.spoilData((data) => {
    data.writeBigUInt64BE(1n << 62n, SUPERBLOCK + RECORD + 24 + 16 + 105 + 4);
    return data.subarray(0, data.length - 200);
  });
  await using store = await world.open();
  expect((await store.volumes())[0]?.needleIdMax).toBeLessThan(1n << 41n);
  expect(await readPlain(store, fid(1))).toEqual([...content(1, 100)]);
});

test("an indexed needle whose bytes are damaged is an error, never another answer", async () => {
  for (let at = 0; at < RECORD; at++) {
    using world = new VolumeWorld();
    await world.appendAll([100, 100]);
    world.spoilData((data) => {
      data[SUPERBLOCK + at] = (data[SUPERBLOCK + at] ?? 0) ^ 0x01;
      return data;
    });
    await using store = await world.open();
    const isCookie = at < 4;
    // Flags that only say how to read the data, the date and the padding are under no checksum.
    const isUnguarded = at === 120 || at >= 125;
    if (isCookie) expect(await store.read(fid(1))).toBeUndefined();
    else if (isUnguarded) expect(await readPlain(store, fid(1))).toEqual([...content(1, 100)]);
    else expect(await codeOf(store.read(fid(1)))).toBe("needle-corrupt");
    expect(await readPlain(store, fid(2))).toEqual([...content(2, 100)]);
  }
}, 30_000);

test.each([
  ["data", 60],
  ["checksum", 122],
  ["size", 13],
  ["id", 11],
])("scan reports a needle with damaged %s and all others", async (_name, at) => {
  using world = new VolumeWorld();
  await world.appendAll([100, 100, 100]);
  world.spoilData((data) =>
    data.fill(0x7e, SUPERBLOCK + RECORD + at, SUPERBLOCK + RECORD + at + 1),
  );
  await using store = await world.open();
  expect(await scanAll(store)).toMatchObject([
    { kind: "live", needleId: 1n },
    { kind: "corrupt", needleId: 2n, offsetBytes: SUPERBLOCK + RECORD },
    { kind: "live", needleId: 3n },
  ]);
});

// The index says what the last record was; nothing stands behind it that would tell where it ends.
test.each([
  ["the id", 11, "after opening"],
  ["the size", 13, "after opening"],
  ["all of the header", 0, "after opening"],
  ["the id", 11, "after its index was made anew"],
  ["the size", 13, "after its index was made anew"],
])(
  "a last record damaged in %s (byte %i) is known as corrupt %s, and nothing is cut off",
  async (what, at, when) => {
    for (const count of [1, 3]) {
      using world = new VolumeWorld();
      await world.appendAll(Array.from({ length: count }, () => 100));
      const place = SUPERBLOCK + (count - 1) * RECORD + at;
      const end = what === "all of the header" ? place + 16 : place + 1;
      world.spoilData((data) => data.fill(0x7e, place, end));
      const spoilt = world.data();
      if (when !== "after opening") {
        const options = {
          disk: systemDisk,
          clock: systemClock,
          hashes: systemHashes,
          log: silentLog,
        };
        await Array.fromAsync(rebuildIndexes({ ...options, folders: [world.folder] }));
      }
      for (let opening = 0; opening < 2; opening++) {
        await using store = await world.open();
        expect(await codeOf(store.read(fid(count)))).toBe("needle-corrupt");
        if (count > 1) expect(await readPlain(store, fid(1))).toEqual([...content(1, 100)]);
        expect(world.data()).toEqual(spoilt);
      }
      await using store = await world.open();
      await store.append(fid(7), content(7, 100));
      await store.vacuum(fid(7).volumeId);
      expect(await codeOf(store.read(fid(count)))).toBe("needle-corrupt");
      expect(await readPlain(store, fid(7))).toEqual([...content(7, 100)]);
    }
  },
);

test("a volume file cut short makes errors of what was behind, never of what is left", async () => {
  using world = new VolumeWorld();
  await world.appendAll([100, 100, 100]);
  await using store = await world.open();
  world.spoilData((data) => data.subarray(0, SUPERBLOCK + 2 * RECORD + 20));
  expect(await readPlain(store, fid(2))).toEqual([...content(2, 100)]);
  expect(await codeOf(store.read(fid(3)))).toBe("needle-corrupt");
});

test("needles larger than the walk's buffer are found, and damage to them seen", async () => {
  using world = new VolumeWorld();
  await world.appendAll([3_000_000, 3_000_000, 10]);
  rmSync(world.indexPath);
  world.spoilData((data) => data.fill(1, 5_000_000, 5_000_100));
  await using store = await world.open();
  expect(await scanAll(store)).toMatchObject([
    { kind: "live", needleId: 1n, sizeBytes: 3_000_000 },
    { kind: "corrupt", needleId: 2n },
    { kind: "live", needleId: 3n },
  ]);
});

test("a tombstone with a checksum of its own removes, at the end of a volume, too", async () => {
  using world = new VolumeWorld();
  await world.appendAll([100, 100]);
  world.spoilData((data) =>
    Buffer.concat([
      data,
      Buffer.from("112233440000000000000002", "hex"),
      Buffer.from("00000000abe2f1387fffffffffffffff00000000", "hex"),
    ]),
  );
  await using store = await world.open();
  expect(await scanAll(store)).toMatchObject([{ needleId: 1n }]);
});

test.each([
  ["an empty needle", "112233440000000000000002000000050000000000"],
  ["a tombstone", "11223344000000000000000100000000"],
])("%s of which only the beginning was written is cut off", async (_name, beginning) => {
  using world = new VolumeWorld();
  await world.appendAll([100]);
  const good = world.data();
  world.spoilData((data) => Buffer.concat([data, Buffer.from(beginning, "hex"), Buffer.alloc(64)]));
  await using store = await world.open();
  expect(world.data()).toEqual(good);
  expect(await scanAll(store)).toMatchObject([{ needleId: 1n }]);
});

test("a large append torn in the middle is cut off", async () => {
  using world = new VolumeWorld();
  await world.appendAll([100, 3_000_000]);
  world.spoilIndex((index) => index.subarray(0, 16));
  world.spoilData((data) => data.subarray(0, 2_000_000));
  await using store = await world.open();
  expect(world.data().length).toBe(SUPERBLOCK + RECORD);
  expect((await store.volumes())[0]?.liveCount).toBe(1);
});

test.each([0, 3, 8])(
  "a volume whose creation stopped after %i bytes of zeros is finished",
  async (size) => {
    using world = new VolumeWorld();
    writeFileSync(world.dataPath, Buffer.alloc(size));
    await using store = await world.open();
    await store.append(fid(1), content(1, 10));
    expect(world.data().subarray(0, 8).toString("hex")).toBe("0300000000000000");
  },
);

test("an empty volume file beside an index file with entries is an error", async () => {
  using world = new VolumeWorld();
  await world.appendAll([100]);
  world.spoilData(() => Buffer.alloc(0));
  await using store = await world.open();
  expect((await store.volumes())[0]?.state).toBe("failed");
});

test("a disk that refuses to read is an error of its own", async () => {
  using world = new VolumeWorld();
  await world.appendAll([100, 1_000_000]);
  const disk = new FaultyDisk(systemDisk);
  await using store = await world.open({ disk });
  disk.failsReads = true;
  expect(await codeOf(store.read(fid(1)))).toBe("read-failed");
  expect(await codeOf(store.read(fid(2)))).toBe("read-failed");
});

test("a damaged superblock before needles is never replaced", async () => {
  using world = new VolumeWorld();
  await world.appendAll([10]);
  world.spoilData((data) => Buffer.concat([Buffer.from([99]), data.subarray(1)]));
  const before = world.data();
  await using store = await world.open();
  expect((await store.volumes())[0]?.state).toBe("failed");
  expect(world.data().equals(before)).toBe(true);
});
