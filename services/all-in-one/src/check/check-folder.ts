import type { Log } from "@kelp/base";
import { systemClock, systemDisk, systemHashes, systemRandom } from "@kelp/base/platform";
import { openFiler } from "@kelp/filer";
import { checkIdentities } from "@kelp/iam";
import { openMaster } from "@kelp/master";
import type { VolumeId } from "@kelp/wire";
import { openDataFolder } from "../folder/data-folder.ts";
import { openFolderDatabase } from "../folder/folder-database.ts";
import { type VolumeFolderSettings, knownVolumeFolders } from "../folder/volume-folders.ts";
import type { VolumeTierSettings } from "../settings.ts";
import { openVolumes } from "../volumes.ts";
import {
  type FolderFinding,
  describeFinding,
  describeIdentity,
  describeQuarantined,
  describeShard,
  describeVolume,
} from "./folder-finding.ts";
import { Losses } from "./losses.ts";
import { rebuildFolderIndexes } from "./rebuild-indexes.ts";

export interface CheckedFolder {
  readonly volumeCount: number;
  readonly blobCount: number;
  readonly blobBytes: number;
  /** Indexes made anew; 0 unless that was asked for. */
  readonly rebuiltCount: number;
}

/**
 * Compares every entry and every stored blob of a folder that no server uses, giving findings to `onFinding` as they
 * come. Opening repairs what a crash left half-written, as a server would. Throws `StartError`.
 */
export async function checkFolder(
  dir: string,
  options: {
    readonly orphans: "report" | "remove";
    /** `rebuild`: made anew from the volumes before anything is compared. */
    readonly indexes: "keep" | "rebuild";
    readonly onFinding: (finding: FolderFinding) => void;
    readonly log: Log;
    /** Where the volumes are; `undefined`: where they were last. */
    readonly volumeFolders?: readonly VolumeFolderSettings[] | undefined;
    /** Where files of volumes were moved to. */
    readonly volumeTiers?: readonly VolumeTierSettings[];
  },
): Promise<CheckedFolder> {
  const { log } = options;
  const common = { clock: systemClock, random: systemRandom, hashes: systemHashes, log };
  using folder = await openDataFolder(dir, { disk: systemDisk, clock: systemClock });
  const folders = options.volumeFolders ?? (await knownVolumeFolders(folder, systemDisk));
  const rebuiltCount =
    options.indexes === "rebuild"
      ? await rebuildFolderIndexes(
          folders?.map(({ path }) => path) ?? [folder.file("volumes")],
          options,
        )
      : 0;
  await using volumes = await openVolumes({
    folder,
    folders,
    tiers: options.volumeTiers ?? [],
    freeBytesFloor: 0,
    log,
  });
  await using master = await openMaster({
    ...common,
    volumes,
    states: volumes,
    disks: volumes,
  });
  const guard = { damagedLog: "refuse", log } as const;
  using identities = openFolderDatabase(folder, "iam", guard);
  for (const { name, keyId } of checkIdentities(identities, systemHashes)) {
    options.onFinding(describeIdentity(name, keyId));
  }
  using database = openFolderDatabase(folder, "filer", guard);
  using filer = openFiler({ ...common, database, volumes, master });
  const unreadableIds = new Set<VolumeId>();
  const losses = new Losses(filer);
  for await (const finding of filer.check({ orphans: options.orphans })) {
    if (finding.kind === "unreadable-volume") unreadableIds.add(finding.volumeId);
    if (!losses.take(finding)) options.onFinding(describeFinding(finding));
  }
  for await (const finding of losses.told()) options.onFinding(finding);
  for (const found of volumes.quarantined()) {
    // Damaged needles the check has read itself, and shards it is about to.
    if (found.what === "index") options.onFinding(describeQuarantined(found));
  }
  const statuses = await volumes.volumes();
  for (const status of statuses) {
    // Those that entries refer to were told already, with how much is in them.
    const finding = unreadableIds.has(status.id) ? undefined : describeVolume(status);
    if (finding !== undefined) options.onFinding(finding);
    if (status.form.kind !== "erasure-coded" || status.state === "missing") continue;
    for (const found of await volumes.checkShards(status.id, UNHURRIED)) {
      options.onFinding(describeShard(found));
    }
  }
  return {
    volumeCount: statuses.length,
    blobCount: statuses.reduce((sum, status) => sum + status.liveCount, 0),
    blobBytes: statuses.reduce((sum, status) => sum + status.liveBytes, 0),
    rebuiltCount,
  };
}

/** Nobody else wants the disk. */
const UNHURRIED = { bytesPerSec: Number.POSITIVE_INFINITY };
