import { type DiskFile, type Log, assert } from "@kelp/base";
import { INDEX_PENDING_BYTES_MAX } from "../limits.ts";
import type { LastRecord } from "./checkpoint-format.ts";
import type { CheckpointKeeper, CheckpointPoint } from "./checkpoint-keeper.ts";
import { type IndexEntry, indexEntryBytes, isRemoval, readIndexEntry } from "./index-entry.ts";
import type { NeedleIndex } from "./needle-index.ts";

export interface IndexFileOptions {
  readonly file: DiskFile;
  /** Where entries are added. */
  readonly endBytes: number;
  /** The index that the entries are of. */
  readonly index: NeedleIndex;
  readonly log: Log;
}

/**
 * The end of an index file, to which entries are added.
 *
 * Invariants:
 * - The file holds a prefix of the volume's history. It is never synced before an append is answered,
 *   because what is missing at its end is found again in the volume file. So a failed write loses nothing: its
 *   entries wait for the next write, and when too many wait the file stays behind until the volume is opened again.
 * - When `append` is called, the index holds all entries ever handed over and no others: that is what makes a
 *   checkpoint of the index one of the file.
 */
export class IndexFile {
  readonly #file: DiskFile;
  readonly #index: NeedleIndex;
  readonly #log: Log;
  readonly #entryBytes: number;
  #endBytes: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;
  #isBehind = false;
  #checkpoint: CheckpointKeeper | undefined;
  #isCheckpointSuspended = false;
  #lastRecord: LastRecord | undefined;
  /** The last entry handed over that names a record: read when it is asked for. */
  #lastEntry: Buffer | undefined;

  constructor(options: IndexFileOptions) {
    this.#file = options.file;
    this.#index = options.index;
    this.#log = options.log;
    this.#endBytes = options.endBytes;
    this.#entryBytes = indexEntryBytes(options.index.offsetWidth);
    assert(this.#endBytes % this.#entryBytes === 0, "an index file holds whole entries");
  }

  /**
   * From now on `keeper` is told of changes. `lastRecord` is the last of what the file held when it was opened;
   * `undefined` when it held none.
   */
  keepCheckpoint(keeper: CheckpointKeeper, lastRecord: LastRecord | undefined): void {
    this.#checkpoint = keeper;
    this.#lastRecord = lastRecord;
    keeper.noteChanges(0, () => this.#point());
  }

  /** No checkpoint is written from now on; resolves when none is. For whoever is about to put another file in this one's place. */
  async suspendCheckpoint(): Promise<void> {
    this.#isCheckpointSuspended = true;
    await this.#checkpoint?.settle();
  }

  resumeCheckpoint(): void {
    this.#isCheckpointSuspended = false;
  }

  /** Takes `entries` (whole entries; the memory is the file's from now on) and returns before they are written. */
  append(entries: Uint8Array): void {
    assert(entries.length % this.#entryBytes === 0, "an index file takes whole entries");
    if (this.#isBehind || entries.length === 0) return;
    if (this.#pendingBytes + entries.length > INDEX_PENDING_BYTES_MAX) {
      this.#isBehind = true;
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#log.warn("index file stays behind until the volume is opened again", {
        path: this.#file.path,
        end_bytes: this.#endBytes,
      });
      return;
    }
    this.#pending.push(entries);
    this.#pendingBytes += entries.length;
    this.#noteLastRecord(entries);
    this.#writing ??= this.#write();
    if (this.#isCheckpointSuspended) return;
    this.#checkpoint?.noteChanges(entries.length / this.#entryBytes, () => this.#point());
  }

  /** Resolves when nothing is being written. */
  async settle(): Promise<void> {
    await this.#writing;
  }

  /** Whether the file holds everything that was handed over, as far as it is known when nothing is being written. */
  get isWhole(): boolean {
    return !this.#isBehind && this.#pendingBytes === 0;
  }

  /** Writes what waits, syncs and closes. A failure to write is logged: the volume file has it all. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#pendingBytes > 0) await this.#write();
    try {
      await this.#file.sync();
      if (!this.#isCheckpointSuspended) await this.#checkpoint?.close(this.#point());
    } catch (error) {
      this.#log.warn("cannot sync an index file", { path: this.#file.path, error });
      await this.#checkpoint?.settle();
    }
    await this.#file.close();
  }

  /** What a checkpoint of the index covers in this turn; `undefined` when there can be none. */
  #point(): CheckpointPoint | undefined {
    const lastRecord = this.#findLastRecord();
    if (this.#isBehind || lastRecord === undefined) return undefined;
    const indexFileBytes = this.#endBytes + this.#pendingBytes;
    return {
      indexFileBytes,
      lastRecord,
      file: this.#file,
      isWritten: async () => {
        await this.#writing;
        return this.#endBytes >= indexFileBytes;
      },
    };
  }

  #noteLastRecord(entries: Uint8Array): void {
    const bytes = Buffer.from(entries.buffer, entries.byteOffset, entries.length);
    const entryBytes = this.#entryBytes;
    for (let at = bytes.length - entryBytes; at >= 0; at -= entryBytes) {
      // A removal without a tombstone has no place.
      if (readIndexEntry(bytes, at, this.#index.offsetWidth).offsetBytes === 0) continue;
      this.#lastEntry = bytes.subarray(at, at + entryBytes);
      return;
    }
  }

  #findLastRecord(): LastRecord | undefined {
    if (this.#lastEntry === undefined) return this.#lastRecord;
    const { offsetWidth, recordBytes } = this.#index;
    return lastRecordOf(readIndexEntry(this.#lastEntry, 0, offsetWidth), recordBytes);
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const entries = [...this.#pending];
      const bytes = this.#pendingBytes;
      try {
        await this.#file.writeAt(entries, this.#endBytes);
      } catch (error) {
        // They are written again, at the same place, with the next ones.
        this.#log.warn("cannot write to an index file", { path: this.#file.path, error });
        break;
      }
      this.#endBytes += bytes;
      if (this.#isBehind) break;
      this.#pending.splice(0, entries.length);
      this.#pendingBytes -= bytes;
    }
    // In the same turn as the last look at what waits, so that an append cannot slip between.
    this.#writing = undefined;
  }
}

/** Of an entry that names a record. */
export function lastRecordOf(
  entry: IndexEntry,
  recordBytes: (bodyBytes: number) => number,
): LastRecord {
  const { idHigh, idLow, offsetBytes } = entry;
  const bodyBytes = isRemoval(entry) ? -1 : entry.bodyBytes;
  return {
    idHigh,
    idLow,
    bodyBytes,
    endBytes: offsetBytes + recordBytes(Math.max(0, bodyBytes)),
  };
}
