import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { type Disk, silentLog } from "@kelp/base";
import { systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { clockAt } from "../testing/fixed-clock.ts";
import { HaltingDisk } from "../testing/halting-disk.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { type VolumeStore, openVolumeStore } from "./volume-store.ts";

// What is done to whole volumes, cut off at every change of the disk, and looked at after the next start.

const TTL = { count: 10, unit: "minute" } as const;
const START_MS = 1_000_000_000_000;

function open(folder: string, disk: Disk, clock = clockAt(START_MS)): Promise<VolumeStore> {
  return openVolumeStore({
    disk,
    clock,
    hashes: systemHashes,
    log: silentLog,
    folders: [{ path: `${folder}/a` }, { path: `${folder}/b`, volumeCountMax: 0 }],
    catalogueFile: `${folder}/volumes.json`,
  });
}

function fid(volume: number): Fid {
  return { volumeId: volumeId(volume), needleId: needleId(1n), cookie: 1 };
}

/** Runs `work` on a folder with volume 1, which holds a needle, cut off after 0, 1, 2 … changes until it comes to its end. */
async function atEveryChange(
  work: (store: VolumeStore) => Promise<unknown>,
  look: (
    store: VolumeStore,
    outcome: { readonly isDone: boolean; readonly folder: string },
  ) => Promise<void>,
  clock = clockAt(START_MS),
): Promise<number> {
  for (let changes = 0; ; changes++) {
    using folder = temporaryFolder();
    {
      await using store = await open(folder.path, systemDisk);
      await store.createVolume(volumeId(1), { collection: "c", ttl: TTL });
      await store.append(fid(1), Buffer.from("needle"));
    }
    const disk = new HaltingDisk(systemDisk, Number.POSITIVE_INFINITY);
    const halted = await open(folder.path, disk, clock);
    disk.changesLeft = changes;
    const failure = await codeOf(work(halted));
    disk.changesLeft = 0;
    // Closes the files; what it would still write is lost.
    await codeOf(halted.close());
    await using store = await open(folder.path, systemDisk);
    await look(store, { isDone: failure === undefined, folder: folder.path });
    if (failure === undefined) return changes;
  }
}

async function isWhole(store: VolumeStore, volume: number): Promise<boolean> {
  const data = await store.read(fid(volume));
  return Buffer.from(data ?? []).toString() === "needle";
}

test("a volume that is being made is there whole or not at all, and the id is not lost", async () => {
  const changes = await atEveryChange(
    (store) => store.createVolume(volumeId(2), { collection: "d", ttl: TTL }),
    async (store, { isDone }) => {
      const made = (await store.volumes()).find(({ id }) => id === 2);
      if (isDone) expect(made?.state).toBe("writable");
      if (made === undefined) await store.createVolume(volumeId(2), { collection: "d" });
      await store.append(fid(2), Buffer.from("needle"));
      expect(await isWhole(store, 2)).toBe(true);
      expect(await isWhole(store, 1)).toBe(true);
    },
  );
  expect(changes).toBeGreaterThan(2);
});

test("a volume that is being deleted is there whole or gone with all its files", async () => {
  const changes = await atEveryChange(
    (store) => store.deleteVolume(volumeId(1)),
    async (store, { isDone, folder }) => {
      const isThere = (await store.volumes()).length > 0;
      if (isDone) expect(isThere).toBe(false);
      if (isThere) expect(await isWhole(store, 1)).toBe(true);
      else expect(readdirSync(`${folder}/a`)).toEqual([]);
    },
  );
  expect(changes).toBeGreaterThan(3);
});

test("a volume that is being marked read-only is one or the other, and keeps its needles", async () => {
  const changes = await atEveryChange(
    (store) => store.setWritable(volumeId(1), "read-only"),
    async (store, { isDone }) => {
      const state = (await store.volumes())[0]?.state ?? "missing";
      expect(isDone ? ["read-only"] : ["writable", "read-only"]).toContain(state);
      expect(await isWhole(store, 1)).toBe(true);
    },
  );
  expect(changes).toBeGreaterThan(0);
});

test("an expired volume that is being dropped is there, sealed, or gone", async () => {
  const changes = await atEveryChange(
    (store) => store.dropExpired(),
    async (store, { isDone, folder }) => {
      const volumes = await store.volumes();
      if (isDone) expect(volumes).toEqual([]);
      if (volumes.length === 0) expect(readdirSync(`${folder}/a`)).toEqual([]);
      else expect(await isWhole(store, 1)).toBe(true);
    },
    clockAt(START_MS + 12 * 60_000),
  );
  expect(changes).toBeGreaterThan(3);
});
