import type { DiskFile } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import { INDEX_ENTRY_BYTES, isRemoval, readIndexEntry } from "../index/index-entry.ts";
import { NeedleIndex } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { SUPERBLOCK_BYTES, VERSION } from "../superblock/superblock.ts";
import type { DiskFolder } from "../store/disk-folder.ts";
import { volumeFileName } from "../volume/file-name.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import { ReadWindow } from "../volume/read-window.ts";
import type { IndexRebuild, RebuiltIndex } from "../volume/rebuild-index.ts";
import { isBelievable, takeRecord } from "../volume/recover-tail.ts";
import { walkRecords } from "../volume/walk.ts";
import { encodeBitrotFile } from "./bitrot-file.ts";
import { copyFile } from "./copy-file.ts";
import { type Encoding, openShardSet, readEncoding, readSuperblock } from "./encoding.ts";
import { type FoundErasure, type FoundFolder, findErasures } from "./find-shards.ts";
import {
  type BlockSizes,
  type ErasureLayout,
  FORMAT_BLOCKS,
  layoutOf,
  layoutOfShards,
  olderLayoutOf,
} from "./layout.ts";
import { openOneIndex, openSortedIndex } from "./open-erasure.ts";
import { settleInfo } from "./settle-info.ts";
import type { ShardSet } from "./shard-set.ts";
import { UNFINISHED, shardExtension } from "./shard-names.ts";
import { Pace } from "../pace/pace.ts";
import { writeSortedIndex } from "./write-sorted-index.ts";

/**
 * Sees to it that every folder with shards of a volume has the volume's sorted index. A copy that is whole is kept and given to
 * the folders that have none; where there is no such copy the index is made of the shards, every record of which is read and
 * checked, with needles known as removed left to the journals and to what can be read of the earlier index. Volumes of which there
 * is a volume file are left alone, and those that lack nothing are not told of. Durable when each is told. No store may have the folders open.
 */
export async function* rebuildSortedIndexes(
  deps: VolumeDeps,
  folders: readonly DiskFolder[],
  blocks: BlockSizes = FORMAT_BLOCKS,
): AsyncGenerator<IndexRebuild> {
  for (const found of await findErasures(deps.disk, folders)) {
    const which = { volumeId: found.id, collection: found.collection };
    if (found.folders.every(({ shards }) => shards.length === 0)) continue;
    try {
      if (await hasVolumeFile(deps, folders, found)) continue;
      const result = await rebuildOne(deps, found, blocks);
      if (result !== undefined) yield { ...which, kind: "rebuilt", result };
    } catch (error) {
      yield { ...which, kind: "failed", error };
    }
  }
}

async function hasVolumeFile(
  { disk }: VolumeDeps,
  folders: readonly DiskFolder[],
  { collection, id }: FoundErasure,
): Promise<boolean> {
  const name = `${volumeFileName(collection, id)}.dat`;
  for (const { folder } of folders) if (await disk.exists(`${folder}/${name}`)) return true;
  return false;
}

/** `undefined` when every folder had a copy that is whole. */
async function rebuildOne(
  deps: VolumeDeps,
  found: FoundErasure,
  blocks: BlockSizes,
): Promise<RebuiltIndex | undefined> {
  // First: what the shards are is read from it.
  const infoCount = await settleInfo(deps, found, blocks);
  const rebuilt = await rebuildOneIndex(deps, found, blocks);
  if (infoCount === 0) return rebuilt;
  const also = `${infoCount} of its information files were missing or damaged and are made anew`;
  const { distrust } = rebuilt ?? {};
  return {
    ...(rebuilt ?? { ...NOTHING_DIFFERED, liveCount: 0 }),
    distrust: distrust === undefined ? also : `${distrust}; ${also}`,
  };
}

async function rebuildOneIndex(
  deps: VolumeDeps,
  found: FoundErasure,
  blocks: BlockSizes,
): Promise<RebuiltIndex | undefined> {
  const encoding = await readEncoding(deps, found);
  let reason: string;
  try {
    const sorted = await openSortedIndex(deps, encoding);
    const { path, liveCount } = sorted;
    await sorted.close();
    const copied = await copyToOthers(deps, encoding, path);
    if (copied === 0) return undefined;
    const distrust = `${copied} of its copies were missing or damaged`;
    return { ...NOTHING_DIFFERED, liveCount, distrust };
  } catch (error) {
    if (!(error instanceof VolumeError) || error.code !== "index-corrupt") throw error;
    reason = error.message;
  }
  return { ...(await makeAnew(deps, encoding, blocks)), distrust: reason };
}

const NOTHING_DIFFERED = {
  damagedCount: 0,
  recalledCount: 0,
  differenceCount: 0,
  differences: [],
} as const;

/** Returns how many folders had none, or one that is not to be used. */
async function copyToOthers(
  deps: VolumeDeps,
  { folders, protection }: Encoding,
  source: string,
): Promise<number> {
  let copied = 0;
  for (const folder of folders) {
    const path = `${folder.base}.ecx`;
    if (path === source || (await isUsable(deps, folder, protection?.index))) continue;
    await dropIfThere(deps, `${path}${UNFINISHED}`);
    await copyFile(deps.disk, source, path);
    await deps.disk.syncFolder(folder.disk.folder);
    copied++;
  }
  return copied;
}

async function isUsable(
  deps: VolumeDeps,
  { base, hasIndex }: FoundFolder,
  expected: Parameters<typeof openOneIndex>[2],
): Promise<boolean> {
  if (!hasIndex) return false;
  try {
    await (await openOneIndex(deps, `${base}.ecx`, expected)).close();
    return true;
  } catch (error) {
    if (error instanceof VolumeError && error.code === "index-corrupt") return false;
    throw error;
  }
}

async function makeAnew(
  deps: VolumeDeps,
  encoding: Encoding,
  blocks: BlockSizes,
): Promise<Omit<RebuiltIndex, "distrust">> {
  let best: Walked | undefined;
  for (const layout of await possibleLayouts(deps, encoding, blocks)) {
    const walked = await walkShards(deps, encoding, layout);
    if (best === undefined || walked.index.entryCount > best.index.entryCount) best = walked;
  }
  if (best === undefined) throw nothingLeft(encoding);
  const { index, damagedCount } = best;
  const recalledCount = await recallRemovals(deps, encoding, index);
  await writeEverywhere(deps, encoding, index);
  return { ...NOTHING_DIFFERED, liveCount: index.liveCount, damagedCount, recalledCount };
}

/** One, or two where only the content of the shards tells which of them it is. */
async function possibleLayouts(
  deps: VolumeDeps,
  encoding: Encoding,
  blocks: BlockSizes,
): Promise<ErasureLayout[]> {
  const { shape, info, folders } = encoding;
  const known = info?.dataFileBytes ?? 0;
  if (known > 0) {
    const layout = layoutOf(shape, known, blocks);
    const older = olderLayoutOf(layout);
    return older === undefined ? [layout] : [layout, older];
  }
  // Older files do not say how long the volume file was: what is behind its end is zeros, which are no records.
  let shardBytes = 0;
  for (const { base, shards } of folders) {
    for (const shard of shards) {
      await using file = await deps.disk.open(`${base}${shardExtension(shard)}`, {
        access: "read",
      });
      shardBytes = Math.max(shardBytes, await file.sizeBytes());
    }
  }
  if (shardBytes === 0) throw nothingLeft(encoding);
  return [layoutOfShards(shape, shardBytes, blocks)];
}

interface Walked {
  readonly index: NeedleIndex;
  readonly damagedCount: number;
}

/** Goes through all records of the volume file that the shards make, around what is missing or does not fit its checksum. */
async function walkShards(
  deps: VolumeDeps,
  encoding: Encoding,
  layout: ErasureLayout,
): Promise<Walked> {
  const set = await openShardSet(deps, encoding, () => Promise.resolve(layout));
  try {
    await verifyBlocks(set);
    const superblock = await readSuperblock(set);
    if (superblock === undefined) throw nothingLeft(encoding);
    if (superblock.version !== VERSION) {
      throw new VolumeError(
        "unsupported-format",
        `Cannot rebuild the index of ${set.path}: only records of version ${VERSION} can be told apart`,
      );
    }
    return await takeRecords(deps, set, SUPERBLOCK_BYTES + superblock.extraBytes);
  } finally {
    await set.close();
  }
}

/** What does not fit is read around from then on. */
async function verifyBlocks(set: ShardSet): Promise<void> {
  const blockCount = Math.ceil(set.shardBytes / set.blockBytes);
  for (const shard of set.presentShards) {
    for (let block = 0; block < blockCount; block++) {
      if (set.checksumOf(shard, block) !== undefined) await set.verifyBlock(shard, block);
    }
  }
}

async function takeRecords(deps: VolumeDeps, set: ShardSet, startBytes: number): Promise<Walked> {
  const index = new NeedleIndex({ offsetWidth: 4 });
  const source = {
    window: new ReadWindow(set, WALK_BUFFER_BYTES),
    endBytes: set.sizeBytes(),
    hashes: deps.hashes,
  };
  let damagedCount = 0;
  for await (const step of walkRecords(source, startBytes)) {
    if (step.kind === "torn") break;
    if (step.kind !== "record") {
      damagedCount++;
      deps.log.error("a part of the shards cannot be read as records", {
        path: set.path,
        offset_bytes: step.offsetBytes,
      });
    }
    if (step.kind === "gap") continue;
    const isDoubtful = step.kind === "damaged" || step.isFoundBySearch;
    if (isDoubtful && !(await isBelievable(set, index, step.header))) continue;
    takeRecord(index, step.offsetBytes, step.header);
  }
  return { index, damagedCount };
}

/** Removals that were marked in a sorted index that cannot be used as a whole still hold. Returns how many. */
async function recallRemovals(
  { disk }: VolumeDeps,
  { folders }: Encoding,
  index: NeedleIndex,
): Promise<number> {
  let count = 0;
  for (const { base, hasIndex } of folders) {
    if (!hasIndex) continue;
    await using file = await disk.open(`${base}.ecx`, { access: "read" });
    for await (const { idHigh, idLow } of markedRemovals(file)) {
      if (index.knows(idHigh, idLow) !== "live") continue;
      index.remove(idHigh, idLow, { hasTombstone: false });
      count++;
    }
  }
  return count;
}

async function* markedRemovals(file: DiskFile) {
  const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  for (let at = 0; ; at += buffer.length) {
    const count = await file.readAt(buffer, at);
    for (let entry = 0; entry + INDEX_ENTRY_BYTES <= count; entry += INDEX_ENTRY_BYTES) {
      const found = readIndexEntry(buffer, entry);
      if (isRemoval(found)) yield found;
    }
    if (count < buffer.length) return;
  }
}

/** The index first, then the checksums that speak of it: in between a copy does not fit, and is made anew again. */
async function writeEverywhere(
  deps: VolumeDeps,
  { folders, protection }: Encoding,
  index: NeedleIndex,
): Promise<void> {
  const { disk, hashes } = deps;
  // Until it is there the volume serves nobody: in the way of all who wait for it.
  const pace = new Pace(deps, { bytesPerSec: Infinity, rests: "short" });
  for (const { base, disk: folder, hasChecksums } of folders) {
    const path = `${base}.ecx`;
    await dropIfThere(deps, `${path}${UNFINISHED}`);
    const written = await writeSortedIndex(deps, path, index, { pace });
    const expected = protection?.index;
    const isExpected =
      expected === undefined ||
      (expected.checksum === written.checksum && expected.sizeBytes === written.sizeBytes);
    if (protection !== undefined && hasChecksums && !isExpected) {
      await disk.writeWhole(
        `${base}.ecsum`,
        encodeBitrotFile({ ...protection, index: written }, hashes),
      );
    }
    await disk.syncFolder(folder.folder);
  }
}

async function dropIfThere({ disk }: VolumeDeps, path: string): Promise<void> {
  if (await disk.exists(path)) await disk.remove(path);
}

function nothingLeft({ folders }: Encoding): VolumeError {
  const path = folders[0]?.base ?? "";
  return new VolumeError(
    "too-few-shards",
    `Cannot rebuild the index of ${path}: too few shards are left to read the volume`,
  );
}
