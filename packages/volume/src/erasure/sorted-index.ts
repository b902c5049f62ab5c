import type { DiskFile } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import {
  INDEX_ENTRY_BYTES,
  type IndexEntry,
  isRemoval,
  readIndexEntry,
} from "../index/index-entry.ts";
import type { NeedleLocation } from "../index/needle-index.ts";
import { SORTED_INDEX_STEP, WALK_BUFFER_BYTES } from "../limits.ts";
import type { Checksums } from "../needle/decode.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { ALIGNMENT_BYTES, recordBytesOf } from "../needle/layout.ts";

/**
 * The sorted index of an erasure-coded volume (`.ecx`): entries as in an index file, ascending by needle id. It stays on
 * disk; in memory are every `SORTED_INDEX_STEP`th id and one bit for each entry, set when the needle is removed.
 * Entries that other programs marked as removed in the file are taken so.
 */
export class SortedIndex {
  readonly #file: DiskFile;
  readonly #count: number;
  readonly #stepHighs: Uint32Array;
  readonly #stepLows: Uint32Array;
  readonly #removed: Uint8Array;
  readonly #block = Buffer.alloc(SORTED_INDEX_STEP * INDEX_ENTRY_BYTES);
  #liveCount = 0;
  #liveBytes = 0;
  #removedCount = 0;
  #needleIdMax = 0n;
  #endBytes = 0;
  #checksum = 0;

  /** Reads all of it once. Throws `index-corrupt` when it is not whole or not in order, or `DiskError`. The file is the index's. */
  static async open(file: DiskFile, hashes: Checksums): Promise<SortedIndex> {
    const sizeBytes = await file.sizeBytes();
    if (sizeBytes % INDEX_ENTRY_BYTES !== 0) throw corrupt(file, "it ends inside an entry");
    const index = new SortedIndex(file, sizeBytes / INDEX_ENTRY_BYTES);
    await index.#load(hashes);
    return index;
  }

  private constructor(file: DiskFile, count: number) {
    this.#file = file;
    this.#count = count;
    const steps = Math.ceil(count / SORTED_INDEX_STEP);
    this.#stepHighs = new Uint32Array(steps);
    this.#stepLows = new Uint32Array(steps);
    this.#removed = new Uint8Array(Math.ceil(count / 8));
  }

  get path(): string {
    return this.#file.path;
  }
  get liveCount(): number {
    return this.#liveCount;
  }
  get liveBytes(): number {
    return this.#liveBytes;
  }
  get removedCount(): number {
    return this.#removedCount;
  }
  get needleIdMax(): bigint {
    return this.#needleIdMax;
  }
  /** End of the last record that an entry names; 0 when there is none. */
  get endBytes(): number {
    return this.#endBytes;
  }
  /** CRC-32C of the file as it was opened. */
  get checksum(): number {
    return this.#checksum;
  }
  get sizeBytes(): number {
    return this.#count * INDEX_ENTRY_BYTES;
  }

  /** `undefined` when the needle is unknown or removed. Reads up to 4 KiB without leaving the thread. */
  find(idHigh: number, idLow: number): NeedleLocation | undefined {
    const found = this.#search(idHigh, idLow);
    return found === undefined || this.#isRemoved(found.at) ? undefined : found.entry;
  }

  /** Takes a needle for removed from now on; returns whether it was live. */
  mask(idHigh: number, idLow: number): boolean {
    const found = this.#search(idHigh, idLow);
    if (found === undefined || this.#isRemoved(found.at)) return false;
    this.#mark(found.at);
    this.#liveCount--;
    this.#liveBytes -= recordBytesOf(found.entry.bodyBytes);
    this.#removedCount++;
    return true;
  }

  /** Every live entry, ascending by id. */
  async *entries(): AsyncGenerator<IndexEntry> {
    const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
    const perBuffer = WALK_BUFFER_BYTES / INDEX_ENTRY_BYTES;
    for (let first = 0; first < this.#count; first += perBuffer) {
      const count = Math.min(perBuffer, this.#count - first);
      await this.#read(buffer, first, count);
      for (let index = 0; index < count; index++) {
        if (this.#isRemoved(first + index)) continue;
        yield readIndexEntry(buffer, index * INDEX_ENTRY_BYTES);
      }
    }
  }

  /** Where live records begin, ascending, in units of `ALIGNMENT_BYTES`. */
  async liveOffsetUnits(): Promise<Uint32Array> {
    const units = new Uint32Array(this.#liveCount);
    let count = 0;
    for await (const entry of this.entries()) {
      if (count === units.length) break;
      units[count++] = entry.offsetBytes / ALIGNMENT_BYTES;
    }
    return units.subarray(0, count).sort();
  }

  /** The file, which stays readable whatever became of its name. */
  get file(): Pick<DiskFile, "readAt"> {
    return this.#file;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #load(hashes: Checksums): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
    const perBuffer = WALK_BUFFER_BYTES / INDEX_ENTRY_BYTES;
    let before = { idHigh: 0, idLow: 0 };
    for (let first = 0; first < this.#count; first += perBuffer) {
      const count = Math.min(perBuffer, this.#count - first);
      await this.#read(buffer, first, count);
      this.#checksum = hashes.crc32c(buffer.subarray(0, count * INDEX_ENTRY_BYTES), this.#checksum);
      for (let index = 0; index < count; index++) {
        const entry = readIndexEntry(buffer, index * INDEX_ENTRY_BYTES);
        if (compareIds(before, entry) >= 0) {
          throw corrupt(this.#file, `entry ${first + index} is not above the one before`);
        }
        this.#take(first + index, entry);
        before = entry;
      }
    }
    this.#needleIdMax = joinIdHalves(before.idHigh, before.idLow);
  }

  #take(at: number, entry: IndexEntry): void {
    if (at % SORTED_INDEX_STEP === 0) {
      this.#stepHighs[at / SORTED_INDEX_STEP] = entry.idHigh;
      this.#stepLows[at / SORTED_INDEX_STEP] = entry.idLow;
    }
    if (isRemoval(entry)) {
      this.#mark(at);
      this.#removedCount++;
      return;
    }
    const recordBytes = recordBytesOf(entry.bodyBytes);
    this.#liveCount++;
    this.#liveBytes += recordBytes;
    this.#endBytes = Math.max(this.#endBytes, entry.offsetBytes + recordBytes);
  }

  #search(
    idHigh: number,
    idLow: number,
  ): { readonly at: number; readonly entry: IndexEntry } | undefined {
    const wanted = { idHigh, idLow };
    const step = this.#stepOf(wanted);
    if (step < 0) return undefined;
    const first = step * SORTED_INDEX_STEP;
    const count = Math.min(SORTED_INDEX_STEP, this.#count - first);
    const block = this.#block.subarray(0, count * INDEX_ENTRY_BYTES);
    const read = this.#file.readAtSync(block, first * INDEX_ENTRY_BYTES);
    if (read !== block.length) throw corrupt(this.#file, "it became shorter");
    let low = 0;
    let high = count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const entry = readIndexEntry(block, middle * INDEX_ENTRY_BYTES);
      const order = compareIds(entry, wanted);
      if (order === 0) return { at: first + middle, entry };
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** The last step that begins at or below the id; -1 when all begin above. */
  #stepOf(wanted: EntryId): number {
    let low = 0;
    let high = this.#stepHighs.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const start = { idHigh: this.#stepHighs[middle] ?? 0, idLow: this.#stepLows[middle] ?? 0 };
      if (compareIds(start, wanted) <= 0) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }

  #isRemoved(at: number): boolean {
    return ((this.#removed[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }

  #mark(at: number): void {
    this.#removed[at >> 3] = (this.#removed[at >> 3] ?? 0) | (1 << (at & 7));
  }

  async #read(buffer: Buffer, first: number, count: number): Promise<void> {
    const target = buffer.subarray(0, count * INDEX_ENTRY_BYTES);
    const read = await this.#file.readAt(target, first * INDEX_ENTRY_BYTES);
    if (read !== target.length) throw corrupt(this.#file, "it became shorter");
  }
}

type EntryId = Pick<IndexEntry, "idHigh" | "idLow">;

function compareIds(left: EntryId, right: EntryId): number {
  return left.idHigh === right.idHigh ? left.idLow - right.idLow : left.idHigh - right.idHigh;
}

function corrupt(file: DiskFile, found: string): VolumeError {
  return new VolumeError("index-corrupt", `Cannot use the sorted index ${file.path}: ${found}`);
}
