import { VolumeError } from "../errors.ts";
import { VERSION } from "../superblock/superblock.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import {
  NO_VOLUME_INFO,
  type VolumeInfo,
  readVolumeInfo,
  writeVolumeInfo,
} from "../volume/volume-info.ts";
import { type BitrotProtection, parseBitrotFile } from "./bitrot-file.ts";
import { isSameInfo } from "./companions.ts";
import type { FoundErasure, FoundFolder } from "./find-shards.ts";
import { type BlockSizes, layoutOf, olderLayoutOf, shardBytesOf } from "./layout.ts";

/**
 * Sees to it that every folder with shards of a volume has an information file that fits its checksum file, which has a checksum
 * itself. One that fits is given to the others; where none does, one is made that says as much as checksums tell: the numbers of shards. The
 * rest is then taken from the shards and their superblock, as for files that say no more. What other programs encoded, and folders that are of several
 * encodings, are left alone. Returns the number of files written, durably.
 */
export async function settleInfo(
  deps: VolumeDeps,
  found: FoundErasure,
  blocks: BlockSizes,
): Promise<number> {
  const known = await commonProtection(deps, found.folders);
  if (known === undefined) return 0;
  const { protection, folders } = known;
  const fitting: VolumeInfo[] = [];
  const unfit: FoundFolder[] = [];
  for (const folder of folders) {
    const info = await readInfo(deps, folder);
    if (info === undefined || !fits(info, protection, blocks)) unfit.push(folder);
    else fitting.push(info);
  }
  const [first = NO_VOLUME_INFO] = fitting;
  // Of several that fit and differ it cannot be told which one is right.
  if (unfit.length === 0 || !fitting.every((info) => isSameInfo(info, first))) return 0;
  const { dataShards, parityShards } = protection;
  const change =
    fitting.length > 0
      ? {}
      : { version: VERSION, shards: { dataShards, parityShards, encodedNs: 0n } };
  for (const { base, disk } of unfit) {
    deps.log.warn("an information file is missing or damaged, and is made anew", {
      path: `${base}.vif`,
    });
    await writeVolumeInfo(deps.disk, base, first, change);
    await deps.disk.syncFolder(disk.folder);
  }
  return unfit.length;
}

/** What all folders with shards say that say something, and which these are; `undefined` when they differ, or when Kelp did not write it. */
async function commonProtection(
  deps: VolumeDeps,
  all: readonly FoundFolder[],
): Promise<
  { readonly protection: BitrotProtection; readonly folders: readonly FoundFolder[] } | undefined
> {
  let protection: BitrotProtection | undefined;
  const folders: FoundFolder[] = [];
  for (const folder of all) {
    if (!folder.hasChecksums || folder.shards.length === 0) continue;
    const bytes = await deps.disk.readWhole(`${folder.base}.ecsum`);
    const read = parseBitrotFile(bytes, deps.hashes);
    if (read === undefined) continue;
    if (read.index === undefined) return undefined;
    const isAnother =
      protection !== undefined && Buffer.compare(protection.encodingId, read.encodingId) !== 0;
    if (isAnother) return undefined;
    protection = read;
    folders.push(folder);
  }
  return protection && { protection, folders };
}

/** `undefined` when there is none, or it cannot be read. */
async function readInfo(
  { disk }: VolumeDeps,
  { base }: FoundFolder,
): Promise<VolumeInfo | undefined> {
  if (!(await disk.exists(`${base}.vif`))) return undefined;
  try {
    return await readVolumeInfo(disk, base);
  } catch (error) {
    const isNote = await disk.exists(`${base}.note`);
    if (isNote || !(error instanceof VolumeError)) throw error;
    return undefined;
  }
}

function fits(info: VolumeInfo, protection: BitrotProtection, blocks: BlockSizes): boolean {
  const { dataShards, parityShards, shards } = protection;
  if (info.shards?.dataShards !== dataShards || info.shards.parityShards !== parityShards) {
    return false;
  }
  // A file that does not say how long the volume was.
  if (info.dataFileBytes === 0) return true;
  const layout = layoutOf({ dataShards, parityShards }, info.dataFileBytes, blocks);
  const older = olderLayoutOf(layout);
  const sizes = [layout, ...(older === undefined ? [] : [older])].map(shardBytesOf);
  return shards.every(({ coveredBytes }) => sizes.includes(coveredBytes));
}
