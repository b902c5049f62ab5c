import type { VolumeId } from "@kelp/wire";
import type { DiskFolder } from "../store/disk-folder.ts";
import { volumeFileName } from "../volume/file-name.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import { type VolumeInfo, readVolumeInfo, writeVolumeInfo } from "../volume/volume-info.ts";
import type { SealedVolume } from "../sealed/sealed-volume.ts";
import { removePlainFiles } from "../sealed/plain-files.ts";
import { type FoundErasure, findErasures } from "./find-shards.ts";
import type { BlockSizes } from "./layout.ts";
import { erasureContentOf, openErasure } from "./open-erasure.ts";
import { removeErasureFiles } from "./remove-erasure.ts";

/** An erasure-coded volume that was found, opened or not. */
export type OpenedErasure = {
  readonly id: VolumeId;
  readonly collection: string;
  /** The folder that counts as its own. */
  readonly disk: DiskFolder;
} & ({ readonly volume: SealedVolume } | { readonly cause: unknown });

export interface SettledForms {
  readonly opened: readonly OpenedErasure[];
  /** Shards beside a volume file that counts: to be dropped once that is open and whole. */
  readonly leftovers: readonly FoundErasure[];
}

/**
 * Decides, before volume files are opened, which form counts of a volume that has files of both, and opens the erasure-coded
 * ones. The volume file counts unless its information file says that there are shards and all of them are there and whole;
 * then what was left to do of the encoding is done. Unfinished files are dropped.
 */
export async function settleForms(
  deps: VolumeDeps,
  disks: readonly DiskFolder[],
  options: {
    readonly blocks?: BlockSizes | undefined;
    /** Volumes in use, of which nothing is touched. */
    readonly isLeftAlone?: (id: VolumeId) => boolean;
  } = {},
): Promise<SettledForms> {
  const { blocks, isLeftAlone } = options;
  const opened: OpenedErasure[] = [];
  const leftovers: FoundErasure[] = [];
  for (const found of await findErasures(deps.disk, disks)) {
    if (isLeftAlone?.(found.id) === true) continue;
    const whole = await withoutUnfinished(deps, disks, found);
    const [first] = whole.folders;
    if (first === undefined) continue;
    const plain = await findPlain(deps, disks, whole);
    if (plain === undefined) {
      opened.push({ ...nameOf(whole), disk: first.disk, ...(await tryOpen(deps, whole, blocks)) });
      continue;
    }
    const volume = await finishEncoding(deps, whole, plain, blocks);
    if (volume === undefined) leftovers.push(whole);
    else opened.push({ ...nameOf(whole), disk: first.disk, volume });
  }
  return { opened, leftovers };
}

/** Removes the shards that were left beside a volume file. */
export async function dropLeftovers(
  deps: VolumeDeps,
  disks: readonly DiskFolder[],
  found: FoundErasure,
): Promise<void> {
  const count = await removeErasureFiles(deps.disk, disks, found);
  deps.log.warn(
    "shards beside a whole volume file are removed: an encoding or decoding was cut short",
    {
      volume_id: found.id,
      collection: found.collection,
      file_count: count,
    },
  );
}

async function withoutUnfinished(
  deps: VolumeDeps,
  disks: readonly DiskFolder[],
  found: FoundErasure,
): Promise<FoundErasure> {
  if (found.folders.some((folder) => folder.hasUnfinished)) {
    await removeErasureFiles(deps.disk, disks, found, (name) => name.part === "unfinished");
  }
  const folders = found.folders.filter(
    ({ shards, hasIndex, hasChecksums }) => shards.length > 0 || hasIndex || hasChecksums,
  );
  return { ...found, folders };
}

interface Plain {
  readonly disk: DiskFolder;
  readonly base: string;
  readonly info: VolumeInfo;
}

async function findPlain(
  deps: VolumeDeps,
  disks: readonly DiskFolder[],
  found: FoundErasure,
): Promise<Plain | undefined> {
  for (const disk of disks) {
    if (disk.failure !== undefined) continue;
    const base = `${disk.folder}/${volumeFileName(found.collection, found.id)}`;
    if (!(await deps.disk.exists(`${base}.dat`))) continue;
    return { disk, base, info: await readVolumeInfo(deps.disk, base) };
  }
  return undefined;
}

/** The erasure-coded volume when its encoding was committed and is whole; `undefined` when the volume file counts. */
async function finishEncoding(
  deps: VolumeDeps,
  found: FoundErasure,
  plain: Plain,
  blocks: BlockSizes | undefined,
): Promise<SealedVolume | undefined> {
  if (plain.info.shards === undefined) return undefined;
  const attempt = await tryOpen(deps, found, blocks);
  if ("volume" in attempt && erasureContentOf(attempt.volume)?.file.missingShards.length === 0) {
    deps.log.warn("an encoding that was cut short is finished", { volume_id: found.id });
    const fileName = volumeFileName(found.collection, found.id);
    await removePlainFiles(deps.disk, { folder: plain.disk.folder, fileName });
    return attempt.volume;
  }
  if ("volume" in attempt) await attempt.volume.close();
  deps.log.warn("a volume file counts, because shards of it are missing", { volume_id: found.id });
  // Before it takes changes: from now on the shards are behind it.
  await writeVolumeInfo(deps.disk, plain.base, plain.info, { shards: undefined, dataFileBytes: 0 });
  return undefined;
}

async function tryOpen(
  deps: VolumeDeps,
  found: FoundErasure,
  blocks: BlockSizes | undefined,
): Promise<{ readonly volume: SealedVolume } | { readonly cause: unknown }> {
  try {
    return { volume: await openErasure(deps, found, blocks) };
  } catch (cause) {
    deps.log.error("an erasure-coded volume cannot be opened", {
      volume_id: found.id,
      collection: found.collection,
      error: cause,
    });
    return { cause };
  }
}

function nameOf({ id, collection }: FoundErasure): Pick<FoundErasure, "id" | "collection"> {
  return { id, collection };
}
