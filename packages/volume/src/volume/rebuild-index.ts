import type { DiskFile } from "@kelp/base";
import { type NeedleId, type VolumeId, needleId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { CheckpointKeeper } from "../index/checkpoint-keeper.ts";
import { REMOVED_SIZE, writeIndexEntry, indexEntryBytes } from "../index/index-entry.ts";
import { IndexFile } from "../index/index-file.ts";
import { NeedleIndex } from "../index/needle-index.ts";
import { DIFFERENCE_EXAMPLES_MAX } from "../limits.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { SUPERBLOCK_BYTES, VERSION } from "../superblock/superblock.ts";
import {
  type CheckpointSource,
  type DataRegion,
  type LoadedIndex,
  loadIndex,
} from "./load-index.ts";
import {
  type VolumeDeps,
  type VolumeName,
  addressableBytes,
  basePath,
  checkpointSource,
  dataPath,
  indexPath,
  readSuperblock,
} from "./open-files.ts";
import { recoverTail } from "./recover-tail.ts";
import { readVolumeInfo } from "./volume-info.ts";

/** A needle about which the earlier index and the volume file did not agree. */
export interface IndexDifference {
  readonly needleId: NeedleId;
  /**
   * - `missing`: the volume file has it, the index did not, or said it was removed;
   * - `extra`: the index had it, the volume file does not, or has its tombstone;
   * - `moved`: the index named another place or size.
   */
  readonly kind: "missing" | "extra" | "moved";
}

/** What making the index of a volume anew from its volume file came to. */
export interface RebuiltIndex {
  readonly liveCount: number;
  /** Damaged places of the volume file. */
  readonly damagedCount: number;
  /** Needles, or removals of needles, known only from the earlier index because that part of the volume file cannot be read. */
  readonly recalledCount: number;
  /** Why a part of the earlier index could not be used at all, if so. */
  readonly distrust: string | undefined;
  readonly differenceCount: number;
  /** `DIFFERENCE_EXAMPLES_MAX` at most. */
  readonly differences: readonly IndexDifference[];
}

/** What became of the index of one volume. */
export type IndexRebuild = {
  readonly volumeId: VolumeId;
  readonly collection: string;
} & (
  | { readonly kind: "rebuilt"; readonly result: RebuiltIndex }
  | { readonly kind: "failed"; readonly error: unknown }
);

/**
 * Makes the index file (and the checkpoint) of a volume anew from its volume file, every record of which is read and
 * checked. The earlier index is held against it, and believed only about parts of the volume file that cannot be
 * read. The new files are durable when this resolves; a crash before leaves the earlier ones. Nobody else may
 * have the volume. Throws `unsupported-format`, or `DiskError`.
 */
export async function rebuildIndex(deps: VolumeDeps, name: VolumeName): Promise<RebuiltIndex> {
  const info = await readVolumeInfo(deps.disk, basePath(name));
  const offsetWidth = info.offsetBytes;
  await using data = await deps.disk.open(dataPath(name), { access: "read-write" });
  const superblock = await readSuperblock(deps, name, data);
  const region: DataRegion = {
    file: data,
    startBytes: SUPERBLOCK_BYTES + superblock.extraBytes,
    endBytes: await addressableBytes(data, info),
  };
  const checkpoint = await checkpointSource(deps, name, data);
  if (checkpoint.superblock[0] !== VERSION) {
    throw new VolumeError(
      "unsupported-format",
      `Cannot rebuild the index of ${data.path}: only records of version ${VERSION} can be told apart`,
    );
  }
  const index = new NeedleIndex({ offsetWidth });
  const earlier = await loadEarlier(deps, name, { region, checkpoint, index });
  const { believed } = earlier;
  const made = await writeAnew(deps, name, { region, checkpoint, index, believed });
  return { ...made, distrust: earlier.distrust, ...compare(earlier.index, index) };
}

interface Rebuilding {
  readonly region: DataRegion;
  readonly checkpoint: CheckpointSource;
  /** The new one. */
  readonly index: NeedleIndex;
}

interface EarlierIndex {
  readonly index: NeedleIndex;
  /** The same, or what the files say that are not trusted: enough where nothing else says anything. */
  readonly believed: NeedleIndex;
  readonly distrust: string | undefined;
}

/** The index as opening the volume would load it. */
async function loadEarlier(
  deps: VolumeDeps,
  name: VolumeName,
  { region, checkpoint, index }: Rebuilding,
): Promise<EarlierIndex> {
  const indexOptions = { offsetWidth: index.offsetWidth };
  if (!(await deps.disk.exists(indexPath(name)))) {
    const none = new NeedleIndex(indexOptions);
    return { index: none, believed: none, distrust: "there was no index file" };
  }
  await using indexFile = await deps.disk.open(indexPath(name), { access: "read" });
  const loaded = await loadIndex({ indexFile, region, indexOptions, checkpoint });
  return {
    index: loaded.index,
    believed: loaded.distrusted ?? loaded.index,
    distrust: loaded.distrust ?? loaded.checkpointDistrust,
  };
}

type Made = Pick<RebuiltIndex, "liveCount" | "damagedCount" | "recalledCount">;

async function writeAnew(
  deps: VolumeDeps,
  name: VolumeName,
  rebuilding: Rebuilding & { readonly believed: NeedleIndex },
): Promise<Made> {
  const temporary = `${indexPath(name)}.tmp`;
  const file = await deps.disk.open(temporary, { access: "read-write", create: true });
  let made: Made;
  try {
    await file.truncate(0);
    made = await fill(deps, name, { ...rebuilding, file });
  } catch (error) {
    await file.close();
    await deps.disk.remove(temporary);
    throw error;
  }
  await deps.disk.rename(temporary, indexPath(name));
  await deps.disk.syncFolder(name.folder);
  return made;
}

/** Writes all entries to the new index file and the checkpoint beside it. */
async function fill(
  deps: VolumeDeps,
  name: VolumeName,
  rebuilding: Rebuilding & { readonly believed: NeedleIndex; readonly file: DiskFile },
): Promise<Made> {
  const { region, checkpoint, index, believed, file } = rebuilding;
  const indexFile = new IndexFile({ file, endBytes: 0, index, log: deps.log });
  const loaded = nothingLoaded(index, region);
  const tail = await recoverTail(deps, { region, loaded, indexFile, earlier: believed });
  let { recalledCount } = tail;
  if (tail.damagedCount > 0) recalledCount += await recallRemovals(believed, index, indexFile);
  if (!indexFile.isWhole) {
    throw new VolumeError("volume-failed", `Cannot write ${file.path}: the disk refused`);
  }
  await file.sync();
  // It is one of the earlier index; the new one is written at closing, when it is worth it.
  if (await deps.disk.exists(checkpoint.path)) await deps.disk.remove(checkpoint.path);
  const dataFile = region.file;
  const options = { ...checkpoint, folder: name.folder, log: deps.log, index, dataFile };
  const keeper = new CheckpointKeeper(options, index.entryCount);
  indexFile.keepCheckpoint(keeper, undefined);
  await indexFile.close();
  return {
    liveCount: index.liveCount,
    damagedCount: tail.damagedCount,
    recalledCount,
  };
}

function nothingLoaded(index: NeedleIndex, region: DataRegion): LoadedIndex {
  return {
    index,
    trustedBytes: 0,
    checkpointBytes: 0,
    coveredBytes: region.startBytes,
    lastRecord: undefined,
    distrust: undefined,
    checkpointDistrust: undefined,
  };
}

/** Needles whose tombstones stand where nothing can be read stay removed. Returns how many. */
async function recallRemovals(
  earlier: NeedleIndex,
  index: NeedleIndex,
  indexFile: IndexFile,
): Promise<number> {
  const removed: (readonly [high: number, low: number])[] = [];
  index.forEachLive((idHigh, idLow) => {
    if (earlier.knows(idHigh, idLow) === "removed") removed.push([idHigh, idLow]);
  });
  for (const [idHigh, idLow] of removed) {
    index.remove(idHigh, idLow, { hasTombstone: false });
    const bytes = Buffer.alloc(indexEntryBytes(index.offsetWidth));
    const entry = { idHigh, idLow, offsetBytes: 0, bodyBytes: REMOVED_SIZE };
    writeIndexEntry(bytes, 0, entry, index.offsetWidth);
    indexFile.append(bytes);
    await indexFile.settle();
  }
  return removed.length;
}

function compare(
  earlier: NeedleIndex,
  index: NeedleIndex,
): Pick<RebuiltIndex, "differenceCount" | "differences"> {
  let differenceCount = 0;
  const differences: IndexDifference[] = [];
  const note = (kind: IndexDifference["kind"], idHigh: number, idLow: number): void => {
    differenceCount++;
    if (differences.length === DIFFERENCE_EXAMPLES_MAX) return;
    differences.push({ kind, needleId: needleId(joinIdHalves(idHigh, idLow)) });
  };
  index.forEachLive((idHigh, idLow, offsetBytes, bodyBytes) => {
    const before = earlier.find(idHigh, idLow);
    if (before === undefined) note("missing", idHigh, idLow);
    else if (before.offsetBytes !== offsetBytes || before.bodyBytes !== bodyBytes) {
      note("moved", idHigh, idLow);
    }
  });
  earlier.forEachLive((idHigh, idLow) => {
    if (index.knows(idHigh, idLow) !== "live") note("extra", idHigh, idLow);
  });
  return { differenceCount, differences };
}
