import { Foreground, type Log } from "@kelp/base";
import {
  openDatabase,
  systemClock,
  systemDisk,
  systemHashes,
  systemRandom,
} from "@kelp/base/platform";
import { type KeyRing, type OpenFiler, type OtherBodies, openFiler } from "@kelp/filer";
import { type Iam, openIam } from "@kelp/iam";
import { type Master, openMaster } from "@kelp/master";
import { createBucketCopies, createObjectStore } from "@kelp/s3/client";
import type { VolumeStore } from "@kelp/volume";
import type { BucketCopies, ObjectStore } from "@kelp/wire";
import type { SqlDatabase } from "@kelp/base";
import type { Credentials } from "./folder/credentials.ts";
import type { DataFolder } from "./folder/data-folder.ts";
import { openFolderDatabase } from "./folder/folder-database.ts";
import { announceChanges } from "./gateways/announced-iam.ts";
import { AbandonedVolumes } from "./jobs/abandoned-volumes.ts";
import { EntryScrubs } from "./jobs/entry-scrubs.ts";
import { maintainVolumes } from "./jobs/maintain-volumes.ts";
import { Pace, Rest } from "./jobs/pace.ts";
import { RELEASE_MEMORY_PAUSE_MS, releaseMemory } from "./jobs/release-memory.ts";
import { RepeatingJob } from "./jobs/repeating-job.ts";
import type { ServerSettings } from "./settings.ts";
import { openVolumes } from "./volumes.ts";

/** Freeing what nothing refers to is not urgent, and a round with nothing to do is one query. */
const COLLECT_PAUSE_MS = 30_000;
/** What crashes leave is little, and looking for it reads everything. */
const SWEEP_PAUSE_MS = 6 * 60 * 60_000;
const SWEEP_BYTES_PER_SEC = 16 * 1024 * 1024;
/** How long a disk that failed is still asked for; and how long after it came back its content is served again. */
const CHECK_DISKS_PAUSE_MS = 10_000;
/** How often is looked whether it is time; a server that was just started has better to do. */
const SCRUB_ENTRIES_PAUSE_MS = 10 * 60_000;
/** Volumes whose whole content has expired only take space. */
const EXPIRE_PAUSE_MS = 60_000;
/** Pipelines keep artifacts and logs here; the name is the one that Kubeflow's tools expect. */
export const PIPELINES_BUCKET = "mlpipeline";

/** The store of the process, from volumes to objects, without its doors. */
export interface Store extends AsyncDisposable {
  readonly volumes: VolumeStore;
  readonly filer: OpenFiler;
  readonly master: Master;
  readonly iam: Iam;
  readonly iamDatabase: SqlDatabase;
  readonly objects: ObjectStore;
  readonly copies: BucketCopies;
  /** Told of volumes whose writer died. */
  readonly abandoned: AbandonedVolumes;
  readonly entryScrubs: Pick<EntryScrubs, "figures">;
  /** Doors tell it of requests; jobs on volumes give way to them. */
  readonly foreground: Foreground;
}

export async function openStore(options: {
  readonly folder: DataFolder;
  readonly credentials: Credentials;
  readonly settings: ServerSettings;
  /** `undefined`: nothing is sealed. */
  readonly keyRing: KeyRing | undefined;
  /** What gateways have in hand, and what tells them of changed identities; `undefined` where there are none. */
  readonly gateways:
    | { readonly bodies: OtherBodies; readonly identitiesChanged: () => Promise<void> }
    | undefined;
  readonly log: Log;
}): Promise<Store> {
  const { folder, credentials, settings, keyRing, gateways } = options;
  const common = { clock: systemClock, random: systemRandom, hashes: systemHashes };
  const guard = { damagedLog: settings.damagedLog, log: options.log };
  const foreground = new Foreground(systemClock);
  await using opened = new AsyncDisposableStack();

  const volumes = opened.use(
    await openVolumes({
      folder,
      folders: settings.volumeFolders,
      tiers: settings.volumeTiers,
      freeBytesFloor: settings.minFreeSpaceBytes,
      volumeSizeBytesMax: settings.volumeSizeBytesMax,
      foreground,
      log: options.log.child({ room: "volume" }),
    }),
  );
  const master = opened.use(
    await openMaster({
      ...common,
      volumes,
      states: volumes,
      disks: volumes,
      log: options.log.child({ room: "master" }),
    }),
  );
  const repeat = (name: string, pauseMs: number, round: (signal: AbortSignal) => Promise<void>) =>
    opened.use(new RepeatingJob({ name, pauseMs, round, clock: systemClock, log: options.log }));
  repeat("check disks", CHECK_DISKS_PAUSE_MS, () => volumes.checkDisks());
  repeat("drop expired volumes", EXPIRE_PAUSE_MS, async () => {
    await volumes.dropExpired();
  });
  const database = opened.use(openFolderDatabase(folder, "filer", guard));
  const filer = opened.use(
    openFiler({
      ...common,
      database,
      volumes,
      master,
      reserve: { disk: systemDisk, folder: folder.path, bytes: settings.minFreeSpaceBytes },
      ...(keyRing === undefined ? {} : { keyRing }),
      ...(gateways === undefined ? {} : { others: gateways.bodies }),
      log: options.log.child({ room: "filer" }),
    }),
  );
  repeat("collect", COLLECT_PAUSE_MS, async (signal) => {
    const rest = new Rest(systemClock, signal);
    while ((await filer.collect({ signal })).hasMore) {
      if (signal.aborted) return;
      await rest.taken();
    }
  });
  repeat("release memory", RELEASE_MEMORY_PAUSE_MS, () => releaseMemory(filer));
  const sweepPace = (
    signal: AbortSignal,
  ): ((scannedBytes: number) => Promise<void> | undefined) => {
    const pace = new Pace(systemClock, { bytesPerSec: SWEEP_BYTES_PER_SEC, signal });
    return (scannedBytes) => pace.passed(scannedBytes);
  };
  repeat("sweep orphans", SWEEP_PAUSE_MS, async (signal) => {
    await filer.sweepOrphans({ signal, pace: sweepPace(signal) });
  });
  const abandoned = opened.use(
    new AbandonedVolumes({
      sweep: (sweepOptions) => filer.sweepOrphans(sweepOptions),
      pace: sweepPace,
      clock: systemClock,
      log: options.log,
    }),
  );
  opened.use(maintainVolumes({ volumes, settings, clock: systemClock, log: options.log }));
  const { scrubCycleMs } = settings.maintenance;
  const entryScrubs = new EntryScrubs({
    ...common,
    openReader: () => openDatabase(folder.file("filer"), "read-only"),
    cycleMs: scrubCycleMs ?? Number.POSITIVE_INFINITY,
    foreground,
    log: options.log.child({ room: "filer" }),
  });
  if (scrubCycleMs !== undefined) {
    repeat("scrub entries", SCRUB_ENTRIES_PAUSE_MS, (signal) => entryScrubs.round(signal));
  }
  const iamDatabase = opened.use(openFolderDatabase(folder, "iam", guard));
  const ownIam = openIam({
    ...common,
    database: iamDatabase,
    root: { accessKeyId: credentials.access_key, secret: credentials.secret_key },
    ...(keyRing === undefined ? {} : { secretSealer: keyRing }),
    log: options.log.child({ room: "iam" }),
  });
  const iam = gateways === undefined ? ownIam : announceChanges(ownIam, gateways.identitiesChanged);
  const objects = createObjectStore({ filer });
  await objects.createBucket(PIPELINES_BUCKET, "root");

  const owned = opened.move();
  return {
    volumes,
    filer,
    master,
    iam,
    iamDatabase,
    objects,
    abandoned,
    entryScrubs,
    copies: createBucketCopies({ filer }),
    foreground,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
