import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Disk, type SqlDatabase, silentLog } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { type DiskImage, PowerCutDisk, type SeededRandom } from "@kelp/base/testing";
import { type OpenFiler, openFiler } from "@kelp/filer";
import { type Master, openMaster } from "@kelp/master";
import { FolderBlobs, type VolumeStore, openVolumeStore } from "@kelp/volume";
import { CapturedDatabase } from "./captured-database.ts";
import { SimulatedClock } from "./simulated-clock.ts";

/** Where things are on the simulated disk. */
export const HOME = "/kelp";
export const VOLUMES = `${HOME}/volumes`;
export const DATABASE = `${HOME}/filer.db`;
/** A remote store, which is a folder of the same disk. */
export const REMOTE = "cold";
export const REMOTE_FOLDER = `${HOME}/${REMOTE}`;
/** What SQLite keeps beside a database that a cut leaves. */
const DATABASE_FILES = ["", "-wal", "-journal"];

/** Small, so that a run fills volumes and makes new ones. */
const VOLUME_SIZE_BYTES = 192 * 1024;
/** Small as well: a volume has rows of both kinds. */
export const SHARD_BLOCKS = {
  largeBlockBytes: 48 * 1024,
  smallBlockBytes: 16 * 1024,
  checksumBlockBytes: 32 * 1024,
};
/** So short that content of a few appends or parts has manifests, and these have some. Half of the stores have them. */
const SHORT_LISTS = { recordsMax: 6, manifestRecordsMax: 4 };
/** Larger bodies stand in needles. */
export const INLINE_BYTES_MAX = 1024;

/** Memory where there is some: what is tested is the order of calls, not the machine's disk. */
export const SCRATCH = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** The whole store, from volumes to the filer, on a disk that can lose its power. */
export interface StoreRig extends AsyncDisposable {
  readonly disk: PowerCutDisk;
  /** The disk as the store sees it: one that fails, for example. */
  readonly seen: Disk;
  readonly clock: SimulatedClock;
  readonly volumes: VolumeStore;
  readonly master: Master;
  readonly filer: OpenFiler;
  readonly database: SqlDatabase;
  /** Where the database stands on the machine while it is open. */
  readonly databaseFile: string;
}

export interface RigOptions {
  /** What the disk holds. Default: nothing. */
  readonly image?: DiskImage;
  readonly random: SeededRandom;
  /** Whether calls of the disk end in an order of chance. */
  readonly isSlow?: boolean;
  readonly clock?: SimulatedClock;
  /** What the volumes see in place of the disk itself: one that fails, for example. */
  readonly around?: (disk: PowerCutDisk) => Disk;
}

/** Starts the store as a server would on such a disk, repairing what a cut left. Closing it is a stop in order. */
export async function openRig(options: RigOptions): Promise<StoreRig> {
  const { random, clock = new SimulatedClock() } = options;
  const disk = new PowerCutDisk({
    start: options.image ?? new Map([[HOME, undefined]]),
    ...(options.isSlow === true ? { slow: random.fork(1) } : {}),
  });
  clock.follow(() => disk.moment);
  const seen = options.around?.(disk) ?? disk;
  // A thread would answer when it likes, and a seed would not repeat its run.
  const hashes = { ...systemHashes, createMd5Apart: () => undefined };
  const common = { clock, random: random.fork(2), hashes, log: silentLog };
  const scratch = mkdtempSync(join(SCRATCH, "kelp-simulator-"));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rmSync(scratch, { recursive: true, force: true }));
  const volumes = opened.use(
    await openVolumeStore({
      ...common,
      disk: seen,
      folder: VOLUMES,
      volumeSizeBytesMax: VOLUME_SIZE_BYTES,
      fullGraceBytes: 4 * 1024 * 1024,
      shardBlocks: SHARD_BLOCKS,
      remotes: new Map([[REMOTE, new FolderBlobs(seen, REMOTE_FOLDER)]]),
    }),
  );
  const master = opened.use(
    await openMaster({ ...common, volumes, states: volumes, disks: volumes }),
  );
  const file = join(scratch, "filer.db");
  for (const suffix of DATABASE_FILES) {
    const content = options.image?.get(DATABASE + suffix);
    if (content !== undefined) writeFileSync(file + suffix, content);
  }
  const database = opened.use(new CapturedDatabase(disk, file, DATABASE));
  const filer = opened.use(
    openFiler({
      ...common,
      database,
      volumes,
      master,
      inlineBytesMax: INLINE_BYTES_MAX,
      ...(random.fork(3).chance(0.5) ? { lists: SHORT_LISTS } : {}),
    }),
  );
  const owned = opened.move();
  return {
    disk,
    seen,
    clock,
    volumes,
    master,
    filer,
    database,
    databaseFile: file,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
