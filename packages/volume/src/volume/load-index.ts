import type { DiskFile } from "@kelp/base";
import {
  INDEX_ENTRY_BYTES,
  type IndexEntry,
  isRemoval,
  readIndexEntry,
} from "../index/index-entry.ts";
import { NeedleIndex } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { readHeader } from "../needle/decode.ts";
import { HEADER_BYTES, TOMBSTONE_BYTES, recordBytesOf } from "../needle/layout.ts";

/** An index as far as its file could be trusted. */
export interface LoadedIndex {
  readonly index: NeedleIndex;
  /** Length of the part of the index file that is in `index`. */
  readonly trustedBytes: number;
  /** End of the last record that `index` knows: the volume file is walked from here. */
  readonly coveredBytes: number;
  /** The record that ends at `coveredBytes`. */
  readonly lastRecord: RecordPlace | undefined;
  /** Why the rest of the index file is not trusted, if there is a rest. */
  readonly distrust: string | undefined;
}

export interface RecordPlace {
  readonly offsetBytes: number;
  readonly bodyBytes: number;
}

export interface DataRegion {
  readonly file: DiskFile;
  /** Where the first record begins. */
  readonly startBytes: number;
  readonly endBytes: number;
}

/**
 * Reads an index file up to its first entry that cannot be true of the volume file. When even the
 * record that it says is the last one is not there, nothing of it is used.
 */
export async function loadIndex(indexFile: DiskFile, data: DataRegion): Promise<LoadedIndex> {
  const loader = new Loader(data);
  const sizeBytes = await indexFile.sizeBytes();
  const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  let at = 0;
  while (at + INDEX_ENTRY_BYTES <= sizeBytes) {
    const count = await indexFile.readAt(buffer, at);
    const whole = count - (count % INDEX_ENTRY_BYTES);
    const taken = loader.take(buffer, whole);
    at += taken;
    if (taken < whole || whole === 0) break;
  }
  if (!(await loader.lastRecordIsThere())) {
    return {
      index: new NeedleIndex(),
      trustedBytes: 0,
      coveredBytes: data.startBytes,
      lastRecord: undefined,
      distrust: "the last record it names is not in the volume file",
    };
  }
  const distrust =
    at === sizeBytes ? undefined : "an entry is torn or lies outside the volume file";
  const { index, coveredBytes, lastRecord } = loader;
  return { index, trustedBytes: at, coveredBytes, lastRecord, distrust };
}

class Loader {
  readonly index = new NeedleIndex();
  readonly #data: DataRegion;
  #last: IndexEntry | undefined;
  coveredBytes: number;

  constructor(data: DataRegion) {
    this.#data = data;
    this.coveredBytes = data.startBytes;
  }

  get lastRecord(): RecordPlace | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    return { offsetBytes: last.offsetBytes, bodyBytes: isRemoval(last) ? 0 : last.bodyBytes };
  }

  /** Applies the entries in the first `length` bytes of `buffer`; returns how many bytes of them were possible. */
  take(buffer: Buffer, length: number): number {
    for (let at = 0; at < length; at += INDEX_ENTRY_BYTES) {
      const entry = readIndexEntry(buffer, at);
      if ((entry.idHigh | entry.idLow) === 0) return at;
      const hasRecord = entry.offsetBytes > 0;
      if (hasRecord) {
        const end = entry.offsetBytes + recordBytesIn(entry);
        if (entry.offsetBytes < this.#data.startBytes || end > this.#data.endBytes) return at;
        if (end > this.coveredBytes) {
          this.coveredBytes = end;
          this.#last = entry;
        }
      }
      const { idHigh, idLow, offsetBytes, bodyBytes } = entry;
      if (isRemoval(entry)) this.index.remove(idHigh, idLow, { hasTombstone: hasRecord });
      else this.index.put(idHigh, idLow, offsetBytes, bodyBytes);
    }
    return length;
  }

  async lastRecordIsThere(): Promise<boolean> {
    const last = this.#last;
    const place = this.lastRecord;
    if (last === undefined || place === undefined) return true;
    const bytes = Buffer.alloc(HEADER_BYTES);
    await this.#data.file.readAt(bytes, last.offsetBytes);
    const header = readHeader(bytes, 0);
    return (
      header.idHigh === last.idHigh &&
      header.idLow === last.idLow &&
      header.bodyBytes === place.bodyBytes
    );
  }
}

function recordBytesIn(entry: IndexEntry): number {
  return isRemoval(entry) ? TOMBSTONE_BYTES : recordBytesOf(entry.bodyBytes);
}
