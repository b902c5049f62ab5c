import { type Log, unreachable } from "@kelp/base";
import {
  openDatabase,
  systemClock,
  systemDisk,
  systemHashes,
  systemRandom,
} from "@kelp/base/platform";
import { type CheckFinding, openFiler } from "@kelp/filer";
import { openMaster } from "@kelp/master";
import { openVolumeStore } from "@kelp/volume";
import { formatFid } from "@kelp/wire";
import { openDataFolder } from "../folder/data-folder.ts";

/** Something that does not fit together in a data folder. */
export interface FolderFinding {
  readonly kind: CheckFinding["kind"];
  /** Space is lost, data is not. Everything else is damage. */
  readonly isHarmless: boolean;
  readonly text: string;
}

export interface CheckedFolder {
  readonly volumeCount: number;
  readonly blobCount: number;
  readonly blobBytes: number;
}

/**
 * Compares every entry and every stored blob of a folder that no server uses, giving findings to `onFinding` as they
 * come. Opening repairs what a crash left half-written, as a server would. Throws `StartError`.
 */
export async function checkFolder(
  dir: string,
  options: {
    readonly orphans: "report" | "remove";
    readonly onFinding: (finding: FolderFinding) => void;
    readonly log: Log;
  },
): Promise<CheckedFolder> {
  const { log } = options;
  const common = { clock: systemClock, random: systemRandom, hashes: systemHashes, log };
  using folder = await openDataFolder(dir, { disk: systemDisk, clock: systemClock });
  await using volumes = await openVolumeStore({
    ...common,
    disk: systemDisk,
    folder: folder.file("volumes"),
  });
  await using master = await openMaster({
    ...common,
    volumes,
    states: volumes,
    disk: systemDisk,
    folder: folder.file("volumes"),
  });
  using database = openDatabase(folder.file("filer"));
  using filer = openFiler({ ...common, database, volumes, master });
  for await (const finding of filer.check({ orphans: options.orphans })) {
    options.onFinding(describeFinding(finding));
  }
  const statuses = await volumes.volumes();
  return {
    volumeCount: statuses.length,
    blobCount: statuses.reduce((sum, status) => sum + status.liveCount, 0),
    blobBytes: statuses.reduce((sum, status) => sum + status.liveBytes, 0),
  };
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
    case "damaged-entry":
      return damage(kind, `${finding.owner} is damaged: ${finding.reason}`);
    case "missing-chunk":
      return damage(kind, `blob ${formatFid(finding.fid)} is missing`);
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

function damage(kind: CheckFinding["kind"], text: string): FolderFinding {
  return { kind, isHarmless: false, text };
}
