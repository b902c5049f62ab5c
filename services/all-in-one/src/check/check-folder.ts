import { type Log, unreachable } from "@kelp/base";
import { systemClock, systemDisk, systemHashes, systemRandom } from "@kelp/base/platform";
import { type CheckFinding, openFiler } from "@kelp/filer";
import { checkIdentities } from "@kelp/iam";
import { openMaster } from "@kelp/master";
import { type Damage, type VolumeId, type VolumeStatus, formatFid } from "@kelp/wire";
import { openDataFolder } from "../folder/data-folder.ts";
import { openFolderDatabase } from "../folder/folder-database.ts";
import { type VolumeFolderSettings, knownVolumeFolders } from "../folder/volume-folders.ts";
import type { VolumeTierSettings } from "../settings.ts";
import { openVolumes } from "../volumes.ts";
import { rebuildFolderIndexes } from "./rebuild-indexes.ts";

/** Something that does not fit together in a data folder. */
export interface FolderFinding {
  readonly kind:
    | CheckFinding["kind"]
    | "unusable-volume"
    | "index-differs"
    | "index-not-rebuilt"
    | "quarantined"
    | "damaged-shard"
    | "damaged-identity";
  /** Space is lost, or something was repaired; data is not lost. Everything else is damage. */
  readonly isHarmless: boolean;
  readonly text: string;
}

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
  for await (const finding of filer.check({ orphans: options.orphans })) {
    if (finding.kind === "unreadable-volume") unreadableIds.add(finding.volumeId);
    options.onFinding(describeFinding(finding));
  }
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

/** A volume of which nothing can be said, if it is one. */
function describeVolume(status: VolumeStatus): FolderFinding | undefined {
  if (status.state !== "failed" && status.state !== "missing") return undefined;
  const why = status.state === "missing" ? "is missing with its disk" : "cannot be opened";
  return damage("unusable-volume", `volume ${status.id} ${why}; its content was not checked`);
}

export function describeFinding(finding: CheckFinding): FolderFinding {
  const { kind } = finding;
  switch (kind) {
    case "orphan-needle":
      return {
        kind,
        isHarmless: true,
        text: `blob ${formatFid(finding.fid)} of ${finding.sizeBytes} bytes belongs to nothing${finding.isRemoved ? "; removed" : ""}`,
      };
    case "debris":
      return {
        kind,
        isHarmless: true,
        text: `blob ${finding.needleId.toString(16)} in volume ${finding.volumeId} was never finished: ${finding.recordBytes} bytes of debris${finding.isRemoved ? "; removed" : ""}`,
      };
    case "shared-volume":
      return {
        kind,
        isHarmless: true,
        text: `volume ${finding.volumeId} of collection "${finding.collection}" has ${finding.namedCount} blobs of entries; it is not swept, and clients of the volume door may change it`,
      };
    case "damaged-entry":
      return damage(kind, `${finding.owner} is damaged: ${finding.reason}`);
    case "missing-chunk":
      return damage(kind, `blob ${formatFid(finding.fid)} is missing`);
    case "unreadable-volume":
      return damage(
        kind,
        `volume ${finding.volumeId}, with ${finding.namedCount} blobs in use, cannot be read: ${finding.reason}`,
      );
    case "corrupt-needle":
      return damage(
        kind,
        `blob ${finding.needleId.toString(16)} in volume ${finding.volumeId} is damaged: ${finding.reason}`,
      );
    case "size-differs":
      return damage(
        kind,
        `blob ${formatFid(finding.fid)} has ${finding.storedBytes} bytes, its entry says ${finding.namedBytes}`,
      );
    case "content-size-differs":
      return damage(
        kind,
        `${finding.owner} has ${finding.sizeBytes} bytes, its blobs add up to ${finding.chunkBytes}`,
      );
    case "unreferenced-chunk":
      return damage(
        kind,
        `${finding.owner} names blob ${formatFid(finding.fid)}, which is not counted as used`,
      );
    case "holders-differ":
      return damage(
        kind,
        `content ${finding.contentId} is counted as named ${finding.holders} times, it is named ${finding.counted} times`,
      );
    case "reference-count-differs":
      return damage(
        kind,
        `${finding.references} blobs are counted as used, ${finding.named} are named`,
      );
    case "usage-differs":
      return damage(
        kind,
        `bucket ${finding.tree} keeps ${finding.counter}, counting gives ${finding.counted}`,
      );
    default:
      return unreachable(kind);
  }
}

function describeQuarantined({ volumeId, what, reason }: Damage): FolderFinding {
  return damage(
    "quarantined",
    `scrubbing found the ${what} of volume ${volumeId} damaged: ${reason}`,
  );
}

/** What is damaged beyond the parity was told as damaged blobs already. */
function describeShard({ volumeId, what, offsetBytes, reason }: Damage): FolderFinding {
  return damage(
    "damaged-shard",
    `${what} of volume ${volumeId} is damaged at ${offsetBytes}: ${reason}; ec.rebuild makes it anew`,
  );
}

function describeIdentity(name: string, keyId: string | undefined): FolderFinding {
  return damage(
    "damaged-identity",
    keyId === undefined
      ? `identity ${name} is damaged and may do nothing; put it again`
      : `access key ${keyId} of ${name} is damaged and opens nothing; delete it and create another`,
  );
}

function damage(kind: FolderFinding["kind"], text: string): FolderFinding {
  return { kind, isHarmless: false, text };
}
