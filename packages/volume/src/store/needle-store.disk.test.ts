import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { utf8 } from "@kelp/base";
import { FaultyDisk } from "@kelp/base/testing";
import { systemDisk } from "@kelp/base/platform";
import { type NeedleContent, type StoredNeedle, volumeId } from "@kelp/wire";
import { clockAt } from "../testing/fixed-clock.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { COOKIE, ONE, VolumeWorld, content, fid, readPlain } from "../testing/volume-world.ts";

const FULL: NeedleContent = {
  data: utf8("content"),
  name: "näme.txt",
  mediaType: "text/plain",
  lastModifiedSec: 1_700_000_000,
  pairs: { "Seaweed-owner": "a" },
  isGzip: true,
};

function plain(needle: StoredNeedle | undefined): NeedleContent | undefined {
  if (needle === undefined) return undefined;
  const { appendedNs, checksum, ...rest } = needle;
  expect(appendedNs > 0n).toBe(true);
  expect(checksum).toBeGreaterThan(0);
  return { ...rest, data: Uint8Array.from(needle.data) };
}

test("a whole needle is read as it was written, also after reopening and from the volume file alone", async () => {
  using world = new VolumeWorld();
  {
    await using store = await world.open();
    expect(await store.writeNeedle(fid(1), FULL)).toBe("written");
    expect(plain(await store.readNeedle(fid(1)))).toEqual(FULL);
    // Entries read the data alone.
    expect(await readPlain(store, fid(1))).toEqual([...FULL.data]);
  }
  rmSync(world.indexPath);
  await using store = await world.open();
  expect(plain(await store.readNeedle(fid(1)))).toEqual(FULL);
  expect(await store.readNeedle(fid(1, COOKIE + 1))).toBeUndefined();
  expect(await store.readNeedle(fid(2))).toBeUndefined();
});

test("many with and without fields share batches", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  const sizes = Array.from({ length: 60 }, (_, index) => (index * 3571) % 200_000);
  await Promise.all(
    sizes.map((size, index) =>
      index % 2 === 0
        ? store.append(fid(index + 1), content(index, size))
        : store.writeNeedle(fid(index + 1), { data: content(index, size), name: `n${index}` }),
    ),
  );
  for (const [index, size] of sizes.entries()) {
    const needle = await store.readNeedle(fid(index + 1));
    expect(needle?.name).toBe(index % 2 === 0 ? undefined : `n${index}`);
    expect(Buffer.from(needle?.data ?? []).equals(content(index, size))).toBe(true);
  }
});

test("an identical needle is not written again, whatever its date; any other difference is written", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  await store.writeNeedle(fid(1), FULL);
  const size = world.data().length;
  expect(await store.writeNeedle(fid(1), { ...FULL })).toBe("unchanged");
  expect(await store.writeNeedle(fid(1), { ...FULL, lastModifiedSec: 5 })).toBe("unchanged");
  expect(world.data().length).toBe(size);
  for (const change of [
    { data: utf8("Content") },
    { name: "other" },
    { mediaType: "" },
    { pairs: {} },
    { isGzip: false },
    { isChunkManifest: true },
    { ttl: { count: 1, unit: "day" } },
    { ttl: { count: 1, unit: "day" } },
  ] as const) {
    expect(await store.writeNeedle(fid(1), { ...FULL, ...change })).toBe("written");
  }
  expect((await store.volumes())[0]).toMatchObject({ liveCount: 1, deletedCount: 8 });
});

test("a damaged needle is written again, not called unchanged", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  await store.writeNeedle(fid(1), FULL);
  world.spoilData((data) => {
    data[8 + 21] = (data[8 + 21] ?? 0) ^ 1;
    return data;
  });
  expect(await codeOf(store.readNeedle(fid(1)))).toBe("needle-corrupt");
  expect(await store.writeNeedle(fid(1), FULL)).toBe("written");
  expect(plain(await store.readNeedle(fid(1)))).toEqual(FULL);
});

test("another cookie may not overwrite, and a field that is too long is refused", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  await store.writeNeedle(fid(1), FULL);
  const before = world.data();
  expect(await codeOf(store.writeNeedle(fid(1, 5), FULL))).toBe("cookie-mismatch");
  const bad = { ...FULL, mediaType: "m".repeat(300) };
  expect(await codeOf(store.writeNeedle(fid(1), bad))).toBe("invalid-needle");
  const elsewhere = { ...fid(1), volumeId: volumeId(9) };
  expect(await codeOf(store.writeNeedle(elsewhere, FULL))).toBe("no-such-volume");
  expect(world.data()).toEqual(before);
});

test("removing tells the size once, and the bytes can still be asked for", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  await store.writeNeedle(fid(1), { ...FULL, data: utf8("old") });
  await store.writeNeedle(fid(1), FULL);
  expect(await store.removeNeedle(fid(1, 5))).toBeUndefined();
  const [first, second] = await Promise.all([
    store.removeNeedle(fid(1)),
    store.removeNeedle(fid(1)),
  ]);
  expect([first, second].filter((size) => size !== undefined)).toEqual([FULL.data.length]);
  expect(await store.removeNeedle(fid(1))).toBeUndefined();
  expect(await store.removeNeedle(fid(2))).toBeUndefined();
  expect(await store.readNeedle(fid(1))).toBeUndefined();
  expect(plain(await store.readNeedle(fid(1), { removed: "read" }))).toEqual(FULL);
  expect(await store.readNeedle(fid(1, 5), { removed: "read" })).toBeUndefined();
  expect(await store.readNeedle(fid(2), { removed: "read" })).toBeUndefined();
});

test("a needle with a TTL is absent after it, and a volume's TTL holds for all in it", async () => {
  using world = new VolumeWorld();
  const startMs = 1_000_000_000_000;
  const clock = clockAt(startMs);
  const two = volumeId(2);
  await using store = await world.open({ clock });
  await store.createVolume(two, { collection: "", ttl: { count: 5, unit: "minute" } });
  const inTwo = (id: number) => ({ ...fid(id), volumeId: two });
  await store.writeNeedle(fid(1), { ...FULL, ttl: { count: 2, unit: "minute" } });
  await store.append(inTwo(1), content(1, 10));
  await store.writeNeedle(inTwo(2), FULL);
  await store.writeNeedle(inTwo(3), { ...FULL, ttl: { count: 3, unit: "minute" } });
  // It would go with the volume before its time.
  const longer = { ...FULL, ttl: { count: 6, unit: "minute" } } as const;
  expect(await codeOf(store.writeNeedle(inTwo(4), longer))).toBe("invalid-needle");
  expect(await store.readNeedle(inTwo(4))).toBeUndefined();
  expect((await store.readNeedle(inTwo(1)))?.ttl).toEqual({ count: 5, unit: "minute" });
  expect((await store.readNeedle(inTwo(2)))?.ttl).toEqual({ count: 5, unit: "minute" });
  const there = async () => {
    const needles = [fid(1), inTwo(1), inTwo(2), inTwo(3)];
    const found = await Promise.all(needles.map((each) => store.readNeedle(each)));
    return found.map((needle) => needle !== undefined);
  };
  clock.ms = startMs + 2 * 60_000;
  expect(await there()).toEqual([true, true, true, true]);
  clock.ms += 1;
  expect(await there()).toEqual([false, true, true, true]);
  clock.ms = startMs + 3 * 60_000 + 1;
  expect(await there()).toEqual([false, true, true, false]);
  clock.ms = startMs + 5 * 60_000 + 1;
  expect(await there()).toEqual([false, false, false, false]);
  expect(await store.read(inTwo(1))).toBeUndefined();
});

test("a disk that refuses to read is no missing needle", async () => {
  using world = new VolumeWorld();
  const disk = new FaultyDisk(systemDisk);
  await using store = await world.open({ disk });
  await store.writeNeedle(fid(1), FULL);
  disk.failsReads = true;
  expect(await codeOf(store.readNeedle(fid(1)))).toBe("read-failed");
  expect(await codeOf(store.writeNeedle(fid(1), FULL))).toBe("read-failed");
  expect(await codeOf(store.removeNeedle(fid(1)))).toBe("read-failed");
});

test("a volume marked read-only refuses changes, also after reopening, until it is marked writable", async () => {
  using world = new VolumeWorld();
  const states: string[] = [];
  {
    await using store = await world.open();
    store.watchStates(({ state }) => states.push(state));
    await store.writeNeedle(fid(1), FULL);
    await store.setWritable(ONE, "read-only");
    await store.setWritable(ONE, "read-only");
    expect(await codeOf(store.append(fid(2), content(2, 5)))).toBe("read-only");
  }
  await using store = await world.open();
  store.watchStates(({ state }) => states.push(state));
  expect(await codeOf(store.removeNeedle(fid(1)))).toBe("read-only");
  expect(plain(await store.readNeedle(fid(1)))).toEqual(FULL);
  await store.setWritable(ONE, "writable");
  await store.append(fid(2), content(2, 5));
  expect(states).toEqual(["read-only", "writable"]);
});

test("a mark that cannot be kept changes nothing for writers", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  // Where the file should go stands a folder.
  rmSync(`${world.folder}/1.vif`, { force: true });
  const blocked = new FaultyDisk(systemDisk);
  blocked.writeWhole = async () => {
    throw Object.assign(new Error("no"), { code: "ENOSPC" });
  };
  await store.close();
  await using other = await world.open({ disk: blocked });
  expect(await codeOf(other.setWritable(ONE, "read-only"))).toBe("ENOSPC");
  await other.append(fid(1), content(1, 5));
});

test("traits of a new volume stand in its superblock, and replication of the .vif counts before it", async () => {
  using world = new VolumeWorld();
  const options = {
    collection: "c",
    replicaPlacement: 12,
    ttl: { count: 3, unit: "week" },
  } as const;
  {
    await using store = await world.open();
    await store.createVolume(volumeId(2), options);
    expect(
      await codeOf(store.createVolume(volumeId(3), { ...options, replicaPlacement: 256 })),
    ).toBe("invalid-traits");
  }
  const file = systemDisk.readWhole(`${world.folder}/c_2.dat`);
  expect(Buffer.from(await file).toString("hex")).toBe("030c030400000000");
  {
    await using store = await world.open();
    expect((await store.volumes())[1]).toMatchObject({
      version: 3,
      replicaPlacement: 12,
      ttl: options.ttl,
    });
  }
  writeFileSync(`${world.folder}/c_2.vif`, `{"replication":"001"}`);
  await using store = await world.open();
  expect((await store.volumes())[1]?.replicaPlacement).toBe(1);
});
