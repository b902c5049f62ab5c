import { type Disk, type DiskFile, unreachable } from "@kelp/base";
import type { LastRecord } from "../index/checkpoint-format.ts";
import { loadCheckpoint } from "../index/checkpoint-reader.ts";
import {
  type IndexEntry,
  indexEntryBytes,
  isRemoval,
  readIndexEntry,
} from "../index/index-entry.ts";
import { lastRecordOf } from "../index/index-file.ts";
import { NeedleIndex, type NeedleIndexOptions } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { type Checksums, readHeader } from "../needle/decode.ts";
import { HEADER_BYTES } from "../needle/layout.ts";

/** An index as far as its files could be trusted. */
export interface LoadedIndex {
  readonly index: NeedleIndex;
  /** Length of the part of the index file that is in `index`. */
  readonly trustedBytes: number;
  /** Length of the part of the index file that was not read, because a checkpoint stood for it. */
  readonly checkpointBytes: number;
  /** End of the last record that `index` knows: the volume file is walked from here. */
  readonly coveredBytes: number;
  /** The record that ends at `coveredBytes`. */
  readonly lastRecord: LastRecord | undefined;
  /** Why the rest of the index file is not trusted, if there is a rest. */
  readonly distrust: string | undefined;
  /** Why the checkpoint is not trusted, if there is one. */
  readonly checkpointDistrust: string | undefined;
  /** What the files say, where none of it is trusted: it may be one damaged record that speaks against them. */
  readonly distrusted?: NeedleIndex;
}

export interface DataRegion {
  readonly file: DiskFile;
  /** Where the first record begins. */
  readonly startBytes: number;
  readonly endBytes: number;
}

export interface IndexSource {
  readonly indexFile: DiskFile;
  readonly region: DataRegion;
  readonly indexOptions: NeedleIndexOptions;
  /** `undefined`: the index file alone is read. */
  readonly checkpoint: CheckpointSource | undefined;
}

export interface CheckpointSource {
  readonly disk: Disk;
  readonly hashes: Checksums;
  readonly path: string;
  /** First 8 bytes of the volume file. */
  readonly superblock: Uint8Array;
}

/**
 * Reads the checkpoint, when there is one that fits, and the index file behind what it covers, up to the first entry
 * that cannot be true of the volume file. When even the record that is said to be the last one is not there, nothing
 * of either is used.
 */
export async function loadIndex(source: IndexSource): Promise<LoadedIndex> {
  const { region, indexFile } = source;
  const { start, checkpointDistrust } = await loadStart(source);
  const loader = new Loader(region, start);
  const sizeBytes = await indexFile.sizeBytes();
  const trustedBytes = await loader.takeFile(indexFile, start.fileBytes, sizeBytes);
  if (!(await loader.lastRecordIsThere())) {
    return {
      index: new NeedleIndex(source.indexOptions),
      trustedBytes: 0,
      checkpointBytes: 0,
      coveredBytes: region.startBytes,
      lastRecord: undefined,
      distrust: "the last record it names is not in the volume file",
      checkpointDistrust,
      distrusted: loader.index,
    };
  }
  const { index, coveredBytes, lastRecord } = loader;
  return {
    index,
    trustedBytes,
    checkpointBytes: start.fileBytes,
    coveredBytes,
    lastRecord,
    distrust:
      trustedBytes === sizeBytes ? undefined : "an entry is torn or lies outside the volume file",
    checkpointDistrust,
  };
}

/** What is known before the index file is read, and how much of it that makes superfluous. */
interface Start {
  readonly index: NeedleIndex;
  readonly fileBytes: number;
  readonly lastRecord: LastRecord | undefined;
}

async function loadStart(
  source: IndexSource,
): Promise<{ readonly start: Start; readonly checkpointDistrust: string | undefined }> {
  const { checkpoint, indexFile, indexOptions, region } = source;
  const nothing = { index: new NeedleIndex(indexOptions), fileBytes: 0, lastRecord: undefined };
  if (checkpoint === undefined) return { start: nothing, checkpointDistrust: undefined };
  const loaded = await loadCheckpoint(checkpoint.path, {
    ...checkpoint,
    indexFile,
    indexOptions,
    dataFile: region.file,
    dataBytes: region.endBytes,
  });
  switch (loaded.kind) {
    case "absent":
      return { start: nothing, checkpointDistrust: undefined };
    case "distrusted":
      return { start: nothing, checkpointDistrust: loaded.reason };
    case "loaded": {
      const { index, header } = loaded;
      const { indexFileBytes: fileBytes, lastRecord } = header;
      return { start: { index, fileBytes, lastRecord }, checkpointDistrust: undefined };
    }
    default:
      return unreachable(loaded);
  }
}

class Loader {
  readonly index: NeedleIndex;
  readonly #region: DataRegion;
  readonly #entryBytes: number;
  #last: LastRecord | undefined;

  constructor(region: DataRegion, start: Start) {
    this.index = start.index;
    this.#region = region;
    this.#last = start.lastRecord;
    this.#entryBytes = indexEntryBytes(start.index.offsetWidth);
  }

  get coveredBytes(): number {
    return this.#last?.endBytes ?? this.#region.startBytes;
  }

  get lastRecord(): LastRecord | undefined {
    return this.#last;
  }

  /** Applies the entries from `fromBytes` on; returns where the first one begins that is torn or impossible, or `sizeBytes`. */
  async takeFile(file: DiskFile, fromBytes: number, sizeBytes: number): Promise<number> {
    const entryBytes = this.#entryBytes;
    const bufferBytes = WALK_BUFFER_BYTES - (WALK_BUFFER_BYTES % entryBytes);
    const length = Math.min(bufferBytes, Math.max(entryBytes, sizeBytes - fromBytes));
    const buffer = Buffer.allocUnsafeSlow(length);
    let at = fromBytes;
    while (at + entryBytes <= sizeBytes) {
      const count = await file.readAt(buffer, at);
      const whole = count - (count % entryBytes);
      const taken = this.#take(buffer, whole);
      at += taken;
      if (taken < whole || whole === 0) break;
    }
    return at;
  }

  /** Applies the entries in the first `length` bytes of `buffer`; returns how many bytes of them were possible. */
  #take(buffer: Buffer, length: number): number {
    const { index } = this;
    for (let at = 0; at < length; at += this.#entryBytes) {
      const entry = readIndexEntry(buffer, at, index.offsetWidth);
      if ((entry.idHigh | entry.idLow) === 0) return at;
      const hasRecord = entry.offsetBytes > 0;
      if (hasRecord && !this.#cover(entry)) return at;
      const { idHigh, idLow, offsetBytes, bodyBytes } = entry;
      if (isRemoval(entry)) index.remove(idHigh, idLow, { hasTombstone: hasRecord });
      else index.put(idHigh, idLow, offsetBytes, bodyBytes);
    }
    return length;
  }

  /** Whether the record can be in the volume file. */
  #cover(entry: IndexEntry): boolean {
    const { recordBytes } = this.index;
    const bodyBytes = isRemoval(entry) ? 0 : entry.bodyBytes;
    const endBytes = entry.offsetBytes + recordBytes(bodyBytes);
    if (entry.offsetBytes < this.#region.startBytes || endBytes > this.#region.endBytes) {
      return false;
    }
    if (endBytes > this.coveredBytes) this.#last = lastRecordOf(entry, recordBytes);
    return true;
  }

  async lastRecordIsThere(): Promise<boolean> {
    const last = this.#last;
    if (last === undefined) return true;
    const bytes = Buffer.alloc(HEADER_BYTES);
    await this.#region.file.readAt(bytes, startOf(last, this.index));
    const header = readHeader(bytes, 0);
    return (
      header.idHigh === last.idHigh &&
      header.idLow === last.idLow &&
      header.bodyBytes === Math.max(0, last.bodyBytes)
    );
  }
}

/** Where the record begins. */
export function startOf(last: LastRecord, index: NeedleIndex): number {
  return last.endBytes - index.recordBytes(Math.max(0, last.bodyBytes));
}
