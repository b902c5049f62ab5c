import { expect, test } from "bun:test";
import { readFileSync, readdirSync } from "node:fs";
import { silentLog, utf8 } from "@kelp/base";
import { systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type Fid, type ScannedNeedle, needleId, volumeId } from "@kelp/wire";
import { clockAt } from "../testing/fixed-clock.ts";
import { writeHandWrittenFolder } from "../testing/hand-written-folder.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { type VolumeStore, openVolumeStore } from "./volume-store.ts";

/** Of the first record: 0x1728391a2b3c4d00 ns. */
const APPENDED_NS = 0x1728_391a_2b3c_4d00n;
const APPENDED_MS = Number(APPENDED_NS / 1_000_000n);
const WEEK_MS = 7 * 24 * 3600 * 1000;

async function withFolder(
  run: (store: VolumeStore, folder: string) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder();
  writeHandWrittenFolder(folder.path);
  await using store = await openAt(folder.path, APPENDED_MS);
  await run(store, folder.path);
}

function openAt(folder: string, nowMs: number): Promise<VolumeStore> {
  return openVolumeStore({
    disk: systemDisk,
    clock: clockAt(nowMs),
    hashes: systemHashes,
    log: silentLog,
    folder,
  });
}

function fid(volume: number, needle: number, digit: number): Fid {
  return {
    volumeId: volumeId(volume),
    needleId: needleId(BigInt(needle)),
    cookie: (digit * 0x1111_1111) >>> 0,
  };
}

async function contentOf(store: VolumeStore, address: Fid) {
  const needle = await store.readNeedle(address);
  if (needle === undefined) return undefined;
  // The two ways of reading agree.
  expect(Buffer.from((await store.read(address)) ?? [])).toEqual(Buffer.from(needle.data));
  return { ...needle, data: Buffer.from(needle.data).toString("latin1") };
}

test("every needle of a folder written by hand is read, in all versions", () =>
  withFolder(async (store) => {
    expect(await contentOf(store, fid(3, 2, 2))).toEqual({
      data: Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString("latin1"),
      name: "h.bin",
      mediaType: "a/b",
      lastModifiedSec: 0x6500_0000,
      pairs: { "Seaweed-k": "v" },
      checksum: 0x46dd_794e,
      appendedNs: APPENDED_NS + 1n,
    });
    expect((await contentOf(store, fid(3, 3, 3)))?.data).toBe("ÿ".repeat(32));
    expect((await contentOf(store, fid(3, 4, 4)))?.data).toBe("");
    expect(await contentOf(store, fid(3, 1, 1))).toBeUndefined();
    expect(await contentOf(store, fid(3, 2, 3))).toBeUndefined();
    const removed = await store.readNeedle(fid(3, 1, 1), { removed: "read" });
    expect(Buffer.from(removed?.data ?? []).toString()).toBe("123456789");

    expect(await contentOf(store, fid(2, 5, 5))).toEqual({
      data: "123456789",
      name: "a",
      lastModifiedSec: 0x6500_0000,
      checksum: 0xe306_9283,
      appendedNs: 0n,
    });
    expect(await contentOf(store, fid(2, 6, 6))).toBeUndefined();
    const removedOld = await store.readNeedle(fid(2, 6, 6), { removed: "read" });
    expect(Buffer.from(removedOld?.data ?? []).toString()).toBe("a");
    expect((await contentOf(store, fid(1, 7, 7)))?.data).toBe("123456789");
    expect((await contentOf(store, fid(1, 8, 8)))?.data).toBe("\0".repeat(32));
    expect((await contentOf(store, fid(4, 9, 9)))?.ttl).toEqual({ count: 1, unit: "week" });
  }));

test("the status of each volume adds up", () =>
  withFolder(async (store) => {
    const week = { count: 1, unit: "week" } as const;
    expect(await store.volumes()).toMatchObject([
      {
        id: 1,
        collection: "old",
        version: 1,
        state: "read-only",
        sizeBytes: 96,
        liveCount: 2,
        liveBytes: 88,
        deletedBytes: 0,
      },
      {
        id: 2,
        collection: "old",
        version: 2,
        state: "read-only",
        sizeBytes: 120,
        liveCount: 1,
        liveBytes: 48,
        deletedCount: 1,
        deletedBytes: 56,
        replicaPlacement: 1,
        compactionRevision: 1,
      },
      {
        id: 3,
        collection: "",
        version: 3,
        state: "writable",
        sizeBytes: 336,
        liveCount: 3,
        liveBytes: 208,
        deletedCount: 2,
        deletedBytes: 120,
        replicaPlacement: 10,
        modifiedMs: APPENDED_MS,
      },
      { id: 4, collection: "week", version: 3, state: "writable", ttl: week, liveCount: 1 },
    ]);
  }));

test("scanning finds every live needle and no damage", () =>
  withFolder(async (store) => {
    const found: ScannedNeedle[] = [];
    for (const id of [1, 2, 3, 4]) {
      for await (const needle of store.scan(volumeId(id))) found.push(needle);
    }
    expect(found.map((needle) => `${needle.kind} ${needle.needleId}`)).toEqual(
      [7, 8, 5, 2, 3, 4, 9].map((id) => `live ${id}`),
    );
  }));

test("old volumes are read and never changed; new ones go on", () =>
  withFolder(async (store, folder) => {
    const before = ["old_1.dat", "old_2.dat", "old_2.idx"].map((name) =>
      readFileSync(`${folder}/${name}`),
    );
    for (const address of [fid(1, 7, 7), fid(2, 5, 5)]) {
      expect(await codeOf(store.append(address, utf8("x")))).toBe("read-only");
      expect(await codeOf(store.remove([address]))).toBe("read-only");
      expect(await codeOf(store.removeNeedle(address))).toBe("read-only");
      expect(await codeOf(store.writeNeedle(address, { data: utf8("x") }))).toBe("read-only");
      expect(await codeOf(store.setWritable(address.volumeId, "writable"))).toBe("read-only");
    }
    await store.append(fid(3, 10, 1), utf8("new"));
    expect(await store.removeNeedle(fid(3, 2, 2))).toBe(32);
    await store.close();
    await using again = await openAt(folder, APPENDED_MS);
    expect((await contentOf(again, fid(3, 10, 1)))?.data).toBe("new");
    expect(await contentOf(again, fid(3, 2, 2))).toBeUndefined();
    expect((await contentOf(again, fid(2, 5, 5)))?.name).toBe("a");
    const after = ["old_1.dat", "old_2.dat", "old_2.idx"].map((name) =>
      readFileSync(`${folder}/${name}`),
    );
    expect(after).toEqual(before);
    expect(readdirSync(folder)).not.toContain("old_1.idx");
  }));

test("what has outlived its TTL is absent", async () => {
  using folder = temporaryFolder();
  writeHandWrittenFolder(folder.path);
  await using store = await openAt(folder.path, APPENDED_MS + WEEK_MS + 1);
  expect(await store.readNeedle(fid(4, 9, 9))).toBeUndefined();
  expect(await store.dropExpired()).toEqual([]);
  await store.close();
  await using later = await openAt(folder.path, APPENDED_MS + WEEK_MS + 10 * 60_000 + 1);
  expect(await later.dropExpired()).toEqual([volumeId(4)]);
});

test.each(["old_2.dat", "old_1.dat"])("damage in %s is corruption, not absence", async (name) => {
  using folder = temporaryFolder();
  writeHandWrittenFolder(folder.path);
  const path = `${folder.path}/${name}`;
  const data = readFileSync(path);
  const at = data.indexOf("123456789");
  data[at] = 0;
  await Bun.write(path, data);
  await using store = await openAt(folder.path, APPENDED_MS);
  const address = name === "old_2.dat" ? fid(2, 5, 5) : fid(1, 7, 7);
  expect(await codeOf(store.read(address))).toBe("needle-corrupt");
  const kinds: string[] = [];
  for await (const needle of store.scan(address.volumeId)) kinds.push(needle.kind);
  expect(kinds).toContain("corrupt");
});

test.each([0, 16, 20, 32])(
  "an old index file of which %i bytes are left is completed from the volume",
  async (keptBytes) => {
    using folder = temporaryFolder();
    writeHandWrittenFolder(folder.path);
    const path = `${folder.path}/old_2.idx`;
    await Bun.write(path, readFileSync(path).subarray(0, keptBytes));
    await using store = await openAt(folder.path, APPENDED_MS);
    expect((await contentOf(store, fid(2, 5, 5)))?.data).toBe("123456789");
    expect(await contentOf(store, fid(2, 6, 6))).toBeUndefined();
    expect((await store.volumes())[1]).toMatchObject({ liveCount: 1, deletedCount: 1 });
  },
);
