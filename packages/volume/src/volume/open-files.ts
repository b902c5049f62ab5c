import type { Clock, Disk, DiskFile, Hashes, Log } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { IndexFile } from "../index/index-file.ts";
import type { NeedleIndex } from "../index/needle-index.ts";
import { VOLUME_FILE_BYTES_MAX } from "../limits.ts";
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
import { type DataRegion, type LoadedIndex, type RecordPlace, loadIndex } from "./load-index.ts";
import { recoverTail } from "./recover-tail.ts";
import { type VolumeInfo, readVolumeInfo } from "./volume-info.ts";

/** What a volume needs of the world. */
export interface VolumeDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly hashes: Pick<Hashes, "crc32c" | "xxh3">;
  readonly log: Log;
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

/** Makes the files of an empty volume. The volume file is durable, its name included, when this resolves. */
export async function createFiles(
  deps: VolumeDeps,
  name: VolumeName,
  superblock: Superblock = NEW_SUPERBLOCK,
): Promise<VolumeFiles> {
  await removeLeftovers(deps, name);
  const info = await readVolumeInfo(deps.disk, basePath(name));
  const options = { access: "read-write", create: true, exclusive: true } as const;
  const path = dataPath(name);
  const data = await deps.disk.open(path, options);
  try {
    await data.writeAt([encodeSuperblock(superblock)], 0);
    await data.sync();
    await deps.disk.syncFolder(name.folder);
    return await openIndexOf(deps, name, { data, superblock, info });
  } catch (error) {
    await data.close();
    // An empty file would take the id for good.
    await deps.disk.remove(path);
    throw error;
  }
}

/** Files without a volume file are what a crash left of a volume that was removed: a new one must not take them for its own. */
async function removeLeftovers(deps: VolumeDeps, name: VolumeName): Promise<void> {
  if (await deps.disk.exists(dataPath(name))) return;
  for (const path of [indexPath(name), `${basePath(name)}.vif`]) {
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
  if (info.offsetBytes !== 4) {
    throw unsupported(path, "its index file has offsets of another size than 4 bytes");
  }
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

async function readSuperblock(
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

async function openIndexOf(
  deps: VolumeDeps,
  name: VolumeName,
  opened: Pick<VolumeFiles, "data" | "superblock" | "info">,
): Promise<VolumeFiles> {
  const { data, superblock } = opened;
  const sizeBytes = await data.sizeBytes();
  if (sizeBytes > VOLUME_FILE_BYTES_MAX) {
    throw unsupported(
      data.path,
      `it has ${sizeBytes} bytes, at most ${VOLUME_FILE_BYTES_MAX} can be addressed`,
    );
  }
  const startBytes = SUPERBLOCK_BYTES + superblock.extraBytes;
  const region: DataRegion = { file: data, startBytes, endBytes: sizeBytes };
  const file = await deps.disk.open(indexPath(name), { access: "read-write", create: true });
  try {
    const loaded = await loadTrusted(deps, file, region);
    const indexFile = new IndexFile(file, loaded.trustedBytes, deps.log);
    const tail = await recoverTail(deps, { region, loaded, indexFile });
    return {
      ...opened,
      index: loaded.index,
      indexFile,
      endBytes: tail.endBytes,
      firstDateNs: await readFirstDate(data, startBytes, tail.endBytes),
      lastDateNs: await readDate(data, tail.lastRecord),
      damagedCount: tail.damagedCount,
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function loadTrusted(
  deps: VolumeDeps,
  file: DiskFile,
  region: DataRegion,
): Promise<LoadedIndex> {
  const loaded = await loadIndex(file, region);
  if (loaded.distrust === undefined) return loaded;
  deps.log.warn("index file is completed from the volume file", {
    path: file.path,
    reason: loaded.distrust,
    trusted_bytes: loaded.trustedBytes,
  });
  await file.truncate(loaded.trustedBytes);
  return loaded;
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
