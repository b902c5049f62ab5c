import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Disk, silentLog } from "@kelp/base";
import { openDatabase, systemHashes } from "@kelp/base/platform";
import { PowerCutDisk, type SeededRandom } from "@kelp/base/testing";
import {
  type BackupManifest,
  BackupError,
  FolderTarget,
  backupIds,
  encodeLooseNeedle,
  makeBackup,
  openTarget,
  pruneBackups,
  readManifest,
  restoreBackup,
} from "@kelp/filer";
import { openVolumeStore } from "@kelp/volume";
import { machineDisk } from "./machine-disk.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import { DATABASE, HOME, SCRATCH, type StoreRig, VOLUMES, openRig } from "./store-rig.ts";

/** Where backups go: on the disk that loses its power. */
const TARGET = `${HOME}/backups`;
const KEPT = 2;
const NAME = "filer.db";

/** One backup, in moments of the disk. */
export interface BackupRun {
  readonly start: number;
  /** When the database was copied: what it restores is the state of this moment. Absent: it failed before. */
  copied: number | undefined;
  /** Absent: it did not succeed. */
  end: number | undefined;
  id: string | undefined;
}

/** Makes a backup of a store that serves, and removes old ones. What it came to is noted in `run` on the way. */
export async function backUp(
  rig: StoreRig,
  random: SeededRandom,
  run: BackupRun,
): Promise<BackupManifest> {
  using _hold = await rig.filer.hold();
  using work = scratchFolder();
  const target = new FolderTarget(rig.seen, TARGET);
  const storeId = rig.filer.storeId();
  const volumes = await rig.volumes.volumes();
  const { manifest } = await makeBackup(
    {
      disk: machineDisk,
      clock: rig.clock,
      random,
      hashes: systemHashes,
      openDatabase,
      // In one step, which nothing else of this process comes between: file and log are of one state.
      copyDatabase: async (source, copy) => {
        run.copied = rig.disk.moment;
        for (const end of ["", "-wal"]) {
          if (existsSync(source + end)) copyFileSync(source + end, copy + end);
        }
      },
    },
    {
      source: {
        storeId,
        volumes: volumes.map(({ id, collection, replicaPlacement, ttl, diskType }) => {
          return { id, collection, replicaPlacement, ttl, diskType };
        }),
        databases: [{ name: NAME, path: rig.databaseFile }],
        files: [],
        readChunk: async (fid) => {
          const bytes = await rig.volumes.read(fid);
          // Of what waits to be freed it may be gone; of anything else it is damage, see below.
          if (bytes === undefined) return { kind: "damaged", reason: "it is gone" };
          return { kind: "read", bytes };
        },
        scanVolume: (id) => rig.volumes.scan(id),
        readNeedle: async (fid) => {
          const needle = await rig.volumes.readNeedle(fid);
          if (needle === undefined) return { kind: "absent" };
          return { kind: "read", bytes: encodeLooseNeedle(needle) };
        },
      },
      target,
      workFolder: work.path,
      filerDatabase: NAME,
      kelpVersion: "0.0.0",
    },
  );
  if (manifest.damagedCount > 0) {
    throw new Error(`Gone under a backup: ${JSON.stringify(manifest.damaged)}`);
  }
  run.id = manifest.id;
  run.end = rig.disk.moment;
  await pruneBackups(target, { storeId, keepCount: KEPT }, systemHashes);
  return manifest;
}

/** Every backup that is listed on a disk, oldest first; none where it says that none was ever made. */
export async function backupsOn(disk: Disk): Promise<BackupManifest[]> {
  const target = new FolderTarget(disk, TARGET);
  try {
    await openTarget(target, "read", systemHashes);
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== "target-unusable") throw error;
    return [];
  }
  const ids = await backupIds(target);
  return Promise.all(ids.map((id) => readManifest(target, id, systemHashes)));
}

/** A store made of a backup that is on `disk`, opened at the time of `clock`. */
export async function openRestored(
  disk: Disk,
  manifest: BackupManifest,
  options: { readonly random: SeededRandom; readonly clock: SimulatedClock },
): Promise<StoreRig> {
  const { random, clock } = options;
  using folder = scratchFolder();
  using work = scratchFolder();
  const made = new PowerCutDisk({ start: new Map([[HOME, undefined]]) });
  {
    const deps = { disk: made, clock, random, hashes: systemHashes, log: silentLog };
    await using volumes = await openVolumeStore({ ...deps, folder: VOLUMES });
    await restoreBackup(
      { disk: machineDisk, random, hashes: systemHashes, openDatabase },
      {
        manifest,
        target: new FolderTarget(disk, TARGET),
        folder: folder.path,
        workFolder: work.path,
        filerDatabase: NAME,
        volumes,
      },
    );
  }
  const image = new Map(made.image());
  for (const end of ["", "-wal"]) {
    const file = join(folder.path, NAME + end);
    if (existsSync(file)) image.set(DATABASE + end, readFileSync(file));
  }
  return await openRig({ image, random: random.fork(1), clock });
}

function scratchFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(SCRATCH, "kelp-simulator-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
