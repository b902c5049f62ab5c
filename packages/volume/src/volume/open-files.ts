import type { Clock, Disk, DiskFile, Foreground, Hashes, Log } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { CHECKPOINT_SUFFIX } from "../index/checkpoint-format.ts";
import { CheckpointKeeper } from "../index/checkpoint-keeper.ts";
import { indexEntryBytes } from "../index/index-entry.ts";
import { IndexFile } from "../index/index-file.ts";
import type { NeedleIndex } from "../index/needle-index.ts";
import { volumeFileBytesMax } from "../limits.ts";
import { CHECKSUM_BYTES, DATE_BYTES, HEADER_BYTES } from "../needle/layout.ts";
import { readHeader } from "../needle/decode.ts";
import {
  NEW_SUPERBLOCK,
  SUPERBLOCK_BYTES,
  type Superblock,
  VERSION,
  encodeSuperblock,
  parseSuperblock,
} from "../superblock/superblock.ts";
import { volumeFileName } from "./file-name.ts";
import {
  type CheckpointSource,
  type DataRegion,
  type IndexSource,
  type LoadedIndex,
  loadIndex,
} from "./load-index.ts";
import { type RecordPlace, recoverTail } from "./recover-tail.ts";
import { NO_VOLUME_INFO, type VolumeInfo, readVolumeInfo, writeVolumeInfo } from "./volume-info.ts";

/** What a volume needs of the world. */
export interface VolumeDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly hashes: Pick<Hashes, "crc32c" | "xxh3">;
  readonly log: Log;
  /** Whom jobs give way to. Nobody unless given. */
  readonly foreground?: Pick<Foreground, "load"> | undefined;
}

export interface VolumeName {
  readonly folder: string;
  readonly collection: string;
  readonly id: VolumeId;
}

/** The files of a volume, open, with an index that knows all of them. Whoever gets this closes both. */
export interface VolumeFiles {
  readonly data: DiskFile;
  readonly superblock: Superblock;
  readonly index: NeedleIndex;
  readonly indexFile: IndexFile;
  /** End of the last good record; all of it is readable, and durable if the file was closed in order. */
  readonly endBytes: number;
  /** Dates of the first and the last record; `undefined` when there is none. */
  readonly firstDateNs: bigint | undefined;
  readonly lastDateNs: bigint | undefined;
  /** Damaged places that the opening came upon (it only looks at what the index file does not cover). */
  readonly damagedCount: number;
  readonly info: VolumeInfo;
}

/** The path of a volume's files without their extension. */
export function basePath(name: VolumeName): string {
  return `${name.folder}/${volumeFileName(name.collection, name.id)}`;
}

export function dataPath(name: VolumeName): string {
  return `${basePath(name)}.dat`;
}

export function indexPath(name: VolumeName): string {
  return `${basePath(name)}.idx`;
}

/** Path of the checkpoint of the index; it may be absent. Removing it costs a slower opening. */
export function checkpointPath(name: VolumeName): string {
  return `${basePath(name)}${CHECKPOINT_SUFFIX}`;
}

/**
 * Makes the files of an empty volume. The volume file is durable, its name included, when this resolves. It gets its name
 * only when its superblock is durable: a power cut can keep a name and a length without the bytes, and a file of
 * unknown bytes could not be told from a volume of a version yet to come.
 */
export async function createFiles(
  deps: VolumeDeps,
  name: VolumeName,
  made: { readonly superblock?: Superblock; readonly offsetBytes?: 4 | 5 } = {},
): Promise<VolumeFiles> {
  const { superblock = NEW_SUPERBLOCK, offsetBytes = 4 } = made;
  const path = dataPath(name);
  if (await deps.disk.exists(path)) {
    throw new VolumeError("volume-exists", `Cannot make volume ${path}: the file exists`);
  }
  await removeLeftovers(deps, name);
  const base = basePath(name);
  // First: a volume file without it would be taken for one of narrow offsets.
  const info =
    offsetBytes === 4
      ? await readVolumeInfo(deps.disk, base)
      : await writeVolumeInfo(deps.disk, base, { ...NO_VOLUME_INFO, offsetBytes }, {});
  await deps.disk.writeWhole(path, encodeSuperblock(superblock));
  const data = await deps.disk.open(path, { access: "read-write" });
  try {
    return await openIndexOf(deps, name, { data, superblock, info });
  } catch (error) {
    await data.close();
    // A file without a volume would take the id for good.
    await deps.disk.remove(path);
    throw error;
  }
}

/** Files without a volume file are what a crash left of a volume that was removed: a new one must not take them for its own. */
async function removeLeftovers(deps: VolumeDeps, name: VolumeName): Promise<void> {
  for (const path of [indexPath(name), checkpointPath(name), `${basePath(name)}.vif`]) {
    if (await deps.disk.exists(path)) await deps.disk.remove(path);
  }
}

/**
 * Opens the files of a volume of version 3 and repairs what a crash left: the index is completed from the volume file, an
 * unfinished append at its end is cut off. Damage before good records is never cut.
 * Throws `unsupported-format`, or `DiskError`.
 */
export async function openFiles(deps: VolumeDeps, name: VolumeName): Promise<VolumeFiles> {
  const path = dataPath(name);
  const info = await readVolumeInfo(deps.disk, basePath(name));
  const data = await deps.disk.open(path, { access: "read-write" });
  try {
    const superblock = await readSuperblock(deps, name, data);
    if (superblock.version !== VERSION) {
      throw unsupported(path, `version is ${superblock.version}, expected ${VERSION}`);
    }
    return await openIndexOf(deps, name, { data, superblock, info });
  } catch (error) {
    await data.close();
    throw error;
  }
}

export async function readSuperblock(
  deps: VolumeDeps,
  name: VolumeName,
  data: DiskFile,
): Promise<Superblock> {
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  const count = await data.readAt(head, 0);
  if (!(await isUnfinished(deps, name, data, head))) {
    return parseSuperblock(head.subarray(0, count), data.path);
  }
  deps.log.warn("a volume whose creation never finished is finished", { path: data.path });
  await data.writeAt([encodeSuperblock(NEW_SUPERBLOCK)], 0);
  await data.sync();
  return NEW_SUPERBLOCK;
}

/** A crash while the volume was made: the file holds at most zeros, and no needle was ever indexed. */
async function isUnfinished(
  deps: VolumeDeps,
  name: VolumeName,
  data: DiskFile,
  head: Buffer,
): Promise<boolean> {
  if (head.some((byte) => byte !== 0)) return false;
  if ((await data.sizeBytes()) > SUPERBLOCK_BYTES) return false;
  const path = indexPath(name);
  if (!(await deps.disk.exists(path))) return true;
  await using index = await deps.disk.open(path, { access: "read" });
  return (await index.sizeBytes()) === 0;
}

type OpenedData = Pick<VolumeFiles, "data" | "superblock" | "info">;

async function openIndexOf(
  deps: VolumeDeps,
  name: VolumeName,
  opened: OpenedData,
): Promise<VolumeFiles> {
  const { data, superblock, info } = opened;
  const offsetWidth = info.offsetBytes;
  const sizeBytes = await addressableBytes(data, info);
  const startBytes = SUPERBLOCK_BYTES + superblock.extraBytes;
  const region: DataRegion = { file: data, startBytes, endBytes: sizeBytes };
  const file = await deps.disk.open(indexPath(name), { access: "read-write", create: true });
  try {
    const checkpoint = await checkpointSource(deps, name, data);
    const indexOptions = { offsetWidth };
    const loaded = await loadTrusted(deps, {
      indexFile: file,
      region,
      indexOptions,
      checkpoint,
    });
    const { index } = loaded;
    const indexFile = new IndexFile({ file, endBytes: loaded.trustedBytes, index, log: deps.log });
    const { distrusted: earlier } = loaded;
    const tail = await recoverTail(deps, { region, loaded, indexFile, earlier });
    const files: VolumeFiles = {
      data,
      superblock,
      info,
      index,
      indexFile,
      endBytes: tail.endBytes,
      firstDateNs: await readFirstDate(data, startBytes, tail.endBytes),
      lastDateNs: await readDate(data, tail.lastRecord),
      damagedCount: tail.damagedCount,
    };
    keepCheckpoint(deps, name, { loaded, checkpoint, indexFile, dataFile: data });
    return files;
  } catch (error) {
    await file.close();
    throw error;
  }
}

export async function checkpointSource(
  deps: VolumeDeps,
  name: VolumeName,
  data: DiskFile,
): Promise<CheckpointSource> {
  const superblock = new Uint8Array(SUPERBLOCK_BYTES);
  await data.readAt(superblock, 0);
  return { disk: deps.disk, hashes: deps.hashes, path: checkpointPath(name), superblock };
}

function keepCheckpoint(
  deps: VolumeDeps,
  name: VolumeName,
  opened: {
    readonly loaded: LoadedIndex;
    readonly checkpoint: CheckpointSource;
    readonly indexFile: IndexFile;
    readonly dataFile: DiskFile;
  },
): void {
  const { loaded, checkpoint, indexFile, dataFile } = opened;
  const { index, trustedBytes, checkpointBytes } = loaded;
  const options = { ...checkpoint, folder: name.folder, log: deps.log, index, dataFile };
  const replayed = (trustedBytes - checkpointBytes) / indexEntryBytes(index.offsetWidth);
  indexFile.keepCheckpoint(new CheckpointKeeper(options, replayed), loaded.lastRecord);
}

async function loadTrusted(deps: VolumeDeps, source: IndexSource): Promise<LoadedIndex> {
  const { indexFile: file, checkpoint } = source;
  const loaded = await loadIndex(source);
  const { checkpointDistrust } = loaded;
  if (checkpointDistrust !== undefined) {
    deps.log.warn("the checkpoint of an index is not used", {
      path: checkpoint?.path,
      reason: checkpointDistrust,
    });
  }
  if (loaded.distrust === undefined) return loaded;
  deps.log.warn("index file is completed from the volume file", {
    path: file.path,
    reason: loaded.distrust,
    trusted_bytes: loaded.trustedBytes,
  });
  await file.truncate(loaded.trustedBytes);
  return loaded;
}

/**
 * The length of a volume file, all of which its index file can name. SeaweedFS may have written behind the 32 GiB that offsets of 4
 * bytes reach; there an offset means two places, and one of them would be the wrong bytes. Throws `unsupported-format`.
 */
export async function addressableBytes(
  data: Pick<DiskFile, "path" | "sizeBytes">,
  { offsetBytes }: Pick<VolumeInfo, "offsetBytes">,
): Promise<number> {
  const sizeBytes = await data.sizeBytes();
  const sizeBytesMax = volumeFileBytesMax(offsetBytes);
  if (sizeBytes <= sizeBytesMax) return sizeBytes;
  throw unsupported(data.path, unreachableBytes(sizeBytes, sizeBytesMax));
}

/** What is wrong with a volume file, wherever it is, that is longer than its offsets reach. */
export function unreachableBytes(sizeBytes: number, sizeBytesMax: number): string {
  return `it has ${sizeBytes} bytes, at most ${sizeBytesMax} can be addressed by the offsets of its index`;
}

/** Date of the record at `startBytes`; `undefined` when there is none. */
export async function readFirstDate(
  data: DiskFile,
  startBytes: number,
  endBytes: number,
): Promise<bigint | undefined> {
  return readDate(data, await firstRecord(data, startBytes, endBytes));
}

async function firstRecord(
  data: DiskFile,
  startBytes: number,
  endBytes: number,
): Promise<RecordPlace | undefined> {
  if (endBytes <= startBytes) return undefined;
  const bytes = Buffer.alloc(HEADER_BYTES);
  await data.readAt(bytes, startBytes);
  const { bodyBytes } = readHeader(bytes, 0);
  return bodyBytes < 0 ? undefined : { offsetBytes: startBytes, bodyBytes };
}

async function readDate(data: DiskFile, record: RecordPlace | undefined) {
  if (record === undefined) return undefined;
  const date = Buffer.alloc(DATE_BYTES);
  const at = record.offsetBytes + HEADER_BYTES + record.bodyBytes + CHECKSUM_BYTES;
  const count = await data.readAt(date, at);
  return count === DATE_BYTES ? date.readBigUInt64BE(0) : undefined;
}

function unsupported(path: string, found: string): VolumeError {
  return new VolumeError("unsupported-format", `Cannot open volume ${path}: ${found}`);
}
