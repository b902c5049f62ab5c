import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { systemClock, systemDisk } from "@kelp/base/platform";
import { FaultyDisk } from "@kelp/base/testing";
import { volumeId } from "@kelp/wire";
import { SCRUB_BUSY_RETRY_MS } from "../limits.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { ONE, VolumeWorld, content, fid, readPlain } from "../testing/volume-world.ts";

/** Record of a needle of 100 bytes: 16 + (4 + 100 + 1) + 12 = 133, padded to 136. */
const RECORD_BYTES = 136;

function recordAt(id: number): number {
  return 8 + (id - 1) * RECORD_BYTES;
}

function flipBit(data: Buffer, at: number): Buffer {
  data[at] = (data[at] ?? 0) ^ 0x10;
  return data;
}

async function worldOf(count: number): Promise<VolumeWorld> {
  const world = new VolumeWorld();
  await world.appendAll(Array.from({ length: count }, () => 100));
  return world;
}

test("a sound volume is read whole, and nothing is listed", async () => {
  using world = await worldOf(5);
  await using store = await world.open();
  await store.remove([fid(2)]);
  await store.append(fid(3), content(3, 3_000_000));
  expect(await store.scrubVolume(ONE)).toEqual({
    checkedCount: 4,
    checkedBytes: 3 * RECORD_BYTES + 3_000_040,
    repaired: [],
    damaged: [],
  });
  expect(store.quarantined()).toEqual([]);
});

test("cold rot is found, listed durably, and read as corrupt even where the header is hit", async () => {
  using world = await worldOf(4);
  // In the data of the second and in the cookie and id of the third.
  world.spoilData((data) => flipBit(data, recordAt(2) + 50));
  world.spoilData((data) => flipBit(flipBit(data, recordAt(3) + 1), recordAt(3) + 11));
  {
    await using store = await world.open();
    const { checkedCount, damaged } = await store.scrubVolume(ONE);
    expect(checkedCount).toBe(4);
    expect(damaged.map(({ what, offsetBytes }) => ({ what, offsetBytes }))).toEqual([
      { what: "2", offsetBytes: recordAt(2) },
      { what: "3", offsetBytes: recordAt(3) },
    ]);
  }
  await using store = await world.open();
  expect(store.quarantined().map(({ what }) => what)).toEqual(["2", "3"]);
  expect(await codeOf(store.read(fid(2)))).toBe("needle-corrupt");
  expect(await codeOf(store.read(fid(3)))).toBe("needle-corrupt");
  expect(await readPlain(store, fid(4))).toEqual([...content(4, 100)]);
});

test("what is overwritten, removed or whole again leaves the list", async () => {
  using world = await worldOf(4);
  const sound = world.data();
  for (const id of [1, 2, 3]) world.spoilData((data) => flipBit(data, recordAt(id) + 50));
  {
    await using store = await world.open();
    expect((await store.scrubVolume(ONE)).damaged.length).toBe(3);
    await store.append(fid(1), content(10, 100));
    expect(await readPlain(store, fid(1))).toEqual([...content(10, 100)]);
    await store.remove([fid(2)]);
    expect(await store.read(fid(2))).toBeUndefined();
  }
  // Somebody puts the bytes of the third back.
  world.spoilData((data) => {
    sound.copy(data, recordAt(3), recordAt(3), recordAt(4));
    return data;
  });
  await using store = await world.open();
  expect(await codeOf(store.read(fid(3)))).toBe("needle-corrupt");
  expect((await store.scrubVolume(ONE)).damaged).toEqual([]);
  expect(store.quarantined()).toEqual([]);
  expect(await readPlain(store, fid(3))).toEqual([...content(3, 100)]);
});

test("every flipped bit of ids, sizes, data and checksums is found", async () => {
  using world = await worldOf(20);
  const sound = world.data();
  for (let round = 0; round < 40; round++) {
    const id = 1 + (round % 20);
    // Behind the cookie, up to the end of the checksum.
    const at = recordAt(id) + 4 + ((round * 37) % (12 + 4 + 100 + 1 + 4));
    world.spoilData(() => flipBit(Buffer.from(sound), at));
    await using store = await world.open();
    const { damaged } = await store.scrubVolume(ONE);
    expect({ at, found: damaged.map(({ what }) => what) }).toEqual({
      at,
      found: [id.toString(16)],
    });
  }
});

test("an index file that does not fit its volume is found", async () => {
  using world = await worldOf(5);
  await using store = await world.open();
  await store.remove([fid(5)]);
  // The size of the third entry becomes negative: it would be taken for removed at the next opening.
  world.spoilIndex((index) => {
    index[2 * 16 + 12] = 0x80;
    return index;
  });
  const { damaged } = await store.scrubVolume(ONE);
  expect(damaged.map(({ what }) => what)).toEqual(["index"]);
  expect(damaged[0]?.reason).toContain("entry 2 is not true");
  // A vacuum writes it anew.
  await store.vacuum(ONE);
  expect(store.quarantined()).toEqual([]);
  expect((await store.scrubVolume(ONE)).damaged).toEqual([]);
});

test("an index that took a removal for true that never was is found by the records", async () => {
  using world = await worldOf(5);
  world.spoilIndex((index) => {
    index[2 * 16 + 12] = 0x80;
    return index;
  });
  await using store = await world.open();
  const { damaged } = await store.scrubVolume(ONE);
  expect(damaged.map(({ what }) => what)).toEqual(["index"]);
});

test("what the disk refuses to read is damage, and no end of the scrub", async () => {
  using world = await worldOf(3);
  const disk = new FaultyDisk(systemDisk);
  disk.onlyPathEnd = ".dat";
  await using store = await world.open({ disk });
  disk.failsReads = true;
  const { damaged } = await store.scrubVolume(ONE);
  expect(damaged.map(({ what, reason }) => [what, reason.includes("EIO")])).toEqual([
    ["1", true],
    ["2", true],
    ["3", true],
  ]);
  disk.failsReads = false;
  expect((await store.scrubVolume(ONE)).damaged).toEqual([]);
});

test("an interrupted round is gone on with after a restart, and what it found is not lost", async () => {
  using world = await worldOf(4);
  world.spoilData((data) => flipBit(data, recordAt(1) + 50));
  const record = {
    format: 1,
    volumes: { 1: { revision: 0, position_bytes: recordAt(3), finished_ms: 7 } },
    damaged: [{ volume_id: 1, what: "1", offset_bytes: 8, reason: "found", found_ms: 5 }],
  };
  writeFileSync(`${world.folder}/scrub.json`, JSON.stringify(record));
  await using store = await world.open();
  expect(await store.scrubVolume(ONE)).toMatchObject({ checkedCount: 2, damaged: [] });
  expect(store.quarantined().map(({ what, foundMs }) => [what, foundMs])).toEqual([["1", 5]]);
  // The next round is a whole one.
  expect(await store.scrubVolume(ONE)).toMatchObject({ checkedCount: 4 });
  const text = readFileSync(`${world.folder}/scrub.json`, "utf8");
  expect(JSON.parse(text)).toMatchObject({ volumes: { 1: { position_bytes: 0 } } });
});

test("a record that cannot be read is started anew", async () => {
  using world = await worldOf(1);
  for (const text of ["", "{", "[]", `{"format":2}`, `{"format":1,"volumes":{"x":{}}}`]) {
    writeFileSync(`${world.folder}/scrub.json`, text);
    await using store = await world.open();
    expect(store.quarantined()).toEqual([]);
    expect(await readPlain(store, fid(1))).toEqual([...content(1, 100)]);
  }
});

test("a scrub ends when the store does, and a deleted volume is forgotten", async () => {
  using world = await worldOf(4);
  world.spoilData((data) => flipBit(data, recordAt(1) + 50));
  {
    await using store = await world.open();
    const slow = codeOf(store.scrubVolume(ONE, { bytesPerSec: 1 }));
    await store.close();
    expect(await slow).toBe("closed");
  }
  await using store = await world.open();
  await store.scrubVolume(ONE);
  await store.deleteVolume(ONE);
  expect(store.quarantined()).toEqual([]);
  expect(existsSync(world.dataPath)).toBe(false);
});

test("changes during a scrub are no damage", async () => {
  using world = await worldOf(50);
  await using store = await world.open();
  const scrub = store.scrubVolume(ONE);
  for (let id = 1; id <= 50; id++) {
    if (id % 3 === 0) await store.remove([fid(id)]);
    else if (id % 3 === 1) await store.append(fid(id), content(id, 50));
    else await store.append(fid(id + 100), content(id, 50));
  }
  expect((await scrub).damaged).toEqual([]);
});

test("a volume that is busy keeps no other from its turn, and has its own again", async () => {
  using world = await worldOf(2);
  let nowMs = 1e12;
  const clock = { ...systemClock, nowMs: () => nowMs };
  await using store = await world.open({ clock });
  await store.createVolume(volumeId(2), { collection: "" });
  const round = (): Promise<boolean> =>
    store.scrubRound({ cycleMs: 3_600_000, signal: new AbortController().signal });
  const ending = new AbortController();
  const busy = codeOf(store.scrubVolume(ONE, { bytesPerSec: 1, signal: ending.signal }));
  expect([await round(), await round(), await round()]).toEqual([true, true, false]);
  expect(store.figures()).toMatchObject({ scrubCount: 1, scrubbedNeedleCount: 0 });
  ending.abort();
  await busy;
  expect(await round()).toBe(false);
  nowMs += SCRUB_BUSY_RETRY_MS;
  expect([await round(), await round()]).toEqual([true, false]);
  expect(store.figures()).toMatchObject({ scrubCount: 2, scrubbedNeedleCount: 2 });
});
