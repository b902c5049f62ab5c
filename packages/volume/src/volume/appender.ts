import { type Clock, DiskError, type DiskFile, type Log, assert } from "@kelp/base";
import type { NeedleId, VolumeState } from "@kelp/wire";
import { VolumeError, type VolumeErrorCode } from "../errors.ts";
import type { IndexFile } from "../index/index-file.ts";
import type { NeedleIndex } from "../index/needle-index.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_COUNT_MAX,
  QUEUE_BYTES_MAX,
  QUEUE_COUNT_MAX,
  TOMBSTONE_RESERVE_BYTES,
  volumeFileBytesMax,
} from "../limits.ts";
import { readHeader } from "../needle/decode.ts";
import { idHigh, idLow } from "../needle/id-halves.ts";
import { HEADER_BYTES } from "../needle/layout.ts";
import { SUPERBLOCK_BYTES } from "../superblock/superblock.ts";
import { type PlannedRecord, encodeRecords, indexRecords, plannedBytes } from "./batch.ts";

/**
 * The one writer of a volume. Concurrent changes are gathered: while one batch is written and synced the
 * next one collects, so a sync is shared by all who came during the one before.
 *
 * Invariants:
 * - everything before `endBytes` is durable and in the index; nothing behind it was ever acknowledged;
 * - one batch at a time is on its way, and no needle id stands in it twice, so the index is exact when a
 *   batch is gathered;
 * - dates of records increase strictly;
 * - after a failed write that could not be undone, or a failed sync, the state is `failed` for good.
 */
export interface AppendTarget {
  readonly data: DiskFile;
  readonly index: NeedleIndex;
  readonly indexFile: IndexFile;
  readonly endBytes: number;
  readonly firstDateNs: bigint | undefined;
}

export interface AppenderOptions extends AppendTarget {
  readonly clock: Clock;
  readonly log: Log;
  readonly lastDateNs: bigint | undefined;
  /** Where the volume is full. */
  readonly sizeBytesMax: number;
  /** How far beyond that needles are still taken. */
  readonly graceBytes: number;
  /** The volume takes no changes, or no others than removals. */
  readonly isReadOnly: boolean;
  readonly takesRemovals: boolean;
  readonly onStateChange: (state: VolumeState) => void;
}

/** `needless`: a removal of what is not there. */
type Stored = "stored" | "needless";

interface Waiting {
  readonly record: PlannedRecord;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: unknown) => void;
}

/** Work between two batches. */
interface Intermission {
  readonly work: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly waiting: readonly Waiting[];
  readonly records: readonly PlannedRecord[];
  readonly bytes: number;
}

export class Appender {
  readonly #options: AppenderOptions;
  #target: AppendTarget;
  #state: VolumeState;
  /** While it is read-only. */
  #takesRemovals: boolean;
  #isClosed = false;
  #endBytes: number;
  #firstDateNs: bigint | undefined;
  #lastDateNs: bigint;
  #lastNeedleNs: bigint;
  #queue: Waiting[] = [];
  #queueBytes = 0;
  /** Bytes of the batch on its way. */
  #batchBytes = 0;
  #running: Promise<void> | undefined;
  #intermission: Intermission | undefined;

  constructor(options: AppenderOptions) {
    const fileBytesMax = volumeFileBytesMax(options.index.offsetWidth);
    assert(options.sizeBytesMax <= fileBytesMax, "offsets of a volume fit in its index file");
    this.#options = options;
    this.#target = options;
    this.#endBytes = options.endBytes;
    this.#firstDateNs = options.firstDateNs;
    this.#lastDateNs = options.lastDateNs ?? 0n;
    this.#lastNeedleNs = this.#lastDateNs;
    this.#takesRemovals = options.takesRemovals;
    this.#state = options.isReadOnly ? "read-only" : this.#openState();
  }

  get state(): VolumeState {
    return this.#state;
  }

  /** Durable length of the volume file. */
  get endBytes(): number {
    return this.#endBytes;
  }

  /** Date of the first record; `undefined` when there is none. */
  get firstDateNs(): bigint | undefined {
    return this.#firstDateNs;
  }

  /** Date of the newest record; 0 when there is none. */
  get lastDateNs(): bigint {
    return this.#lastDateNs;
  }

  /** Date of the newest needle, removals left out; right after opening, of the newest record. 0 when there is none. */
  get lastNeedleNs(): bigint {
    return this.#lastNeedleNs;
  }

  /** Resolves when the record is durable and in the index, or when there was nothing to remove. */
  store(record: PlannedRecord): Promise<Stored> {
    const refusal = this.#refusal(record);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#queue.push({ record, resolve, reject });
      this.#queueBytes += plannedBytes(record);
      // Started a microtask later, so that changes made in one turn share a batch.
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /**
   * Runs `work` when the batch on its way is settled. Changes that come meanwhile wait, and are refused as ever when too many
   * do. `work` may call `exchange` and `fail`. One at a time. Rejects with what `work` throws.
   */
  pauseFor(work: () => Promise<void>): Promise<void> {
    assert(this.#intermission === undefined, "a writer pauses for one at a time");
    if (this.#isClosed) return Promise.reject(this.#error("closed", "the store is closed"));
    if (this.#state === "failed") {
      return Promise.reject(this.#error("volume-failed", "an earlier write failed"));
    }
    return new Promise((resolve, reject) => {
      this.#intermission = { work, resolve, reject };
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /** During a pause: goes on with other files that hold the same needles. A full volume that has room again takes needles. */
  exchange(target: AppendTarget): void {
    assert(this.#intermission !== undefined, "files are exchanged during a pause");
    this.#target = target;
    this.#endBytes = target.endBytes;
    this.#firstDateNs = target.firstDateNs;
    if (this.#state === "full" && this.#endBytes < this.#options.sizeBytesMax) {
      this.#changeState("writable");
    }
  }

  /** During a pause: takes no more changes, for the reason given. */
  fail(action: string, cause: unknown): VolumeError {
    assert(this.#intermission !== undefined, "a writer is failed from outside during a pause");
    return this.#poison(action, cause);
  }

  /** Stops taking changes, removals too unless it was read-only before, or takes them again. Resolves when all earlier ones are settled. A failed volume stays so. */
  async setReadOnly(isReadOnly: boolean): Promise<void> {
    if (this.#state === "failed") throw this.#error("volume-failed", "an earlier write failed");
    const state = isReadOnly ? "read-only" : this.#openState();
    if (state !== this.#state) {
      this.#takesRemovals = false;
      this.#changeState(state);
    }
    await this.#running;
  }

  /** Refuses new changes and resolves when all earlier ones are settled. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  #refusal(record: PlannedRecord): VolumeError | undefined {
    if (this.#isClosed) return this.#error("closed", "the store is closed");
    if (this.#state === "failed") return this.#error("volume-failed", "an earlier write failed");
    if (this.#state === "read-only" && !(this.#takesRemovals && record.kind === "remove")) {
      return this.#error("read-only", "the volume is read-only");
    }
    const bytes = plannedBytes(record);
    if (this.#queue.length >= QUEUE_COUNT_MAX || this.#queueBytes + bytes > QUEUE_BYTES_MAX) {
      return this.#error("overloaded", "too many changes are waiting");
    }
    if (this.#endBytes + this.#batchBytes + this.#queueBytes + bytes <= this.#limit(record)) {
      return undefined;
    }
    if (SUPERBLOCK_BYTES + bytes > this.#limit(record)) {
      return this.#error("needle-too-large", `${bytes} bytes fit in no volume`);
    }
    if (this.#state === "writable") this.#changeState("full");
    return this.#error("volume-full", `${bytes} bytes do not fit any more`);
  }

  #limit(record: PlannedRecord): number {
    const { sizeBytesMax, graceBytes } = this.#options;
    const fileBytesMax = volumeFileBytesMax(this.#target.index.offsetWidth);
    if (record.kind === "remove") return fileBytesMax;
    return Math.min(sizeBytesMax + graceBytes, fileBytesMax - TOMBSTONE_RESERVE_BYTES);
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 || this.#intermission !== undefined) {
      if (this.#intermission !== undefined) await this.#pause(this.#intermission);
      const batch = this.#gather();
      if (batch.records.length === 0) continue;
      this.#batchBytes = batch.bytes;
      const failure = await this.#write(batch);
      this.#batchBytes = 0;
      for (const { resolve, reject } of batch.waiting) {
        if (failure === undefined) resolve("stored");
        else reject(failure);
      }
    }
    // In the same turn as the last look at the queue, so that nobody can slip between.
    this.#running = undefined;
  }

  async #pause({ work, resolve, reject }: Intermission): Promise<void> {
    try {
      // The batch before may have failed.
      if (this.#state === "failed") throw this.#error("volume-failed", "an earlier write failed");
      await work();
      resolve();
    } catch (error) {
      reject(error);
    } finally {
      this.#intermission = undefined;
    }
  }

  /** Takes from the queue what goes together; settles at once what needs no record. */
  #gather(): Batch {
    const waiting: Waiting[] = [];
    const records: PlannedRecord[] = [];
    const ids = new Set<NeedleId>();
    let bytes = 0;
    let taken = 0;
    for (const next of this.#queue) {
      const { record } = next;
      const recordBytes = plannedBytes(record);
      const isFull = records.length === BATCH_COUNT_MAX || bytes + recordBytes > BATCH_BYTES_MAX;
      if (records.length > 0 && (isFull || ids.has(record.needleId))) break;
      taken++;
      this.#queueBytes -= recordBytes;
      if (!this.#isNeeded(next)) continue;
      ids.add(record.needleId);
      waiting.push(next);
      records.push(record);
      bytes += recordBytes;
    }
    this.#queue = this.#queue.slice(taken);
    return { waiting, records, bytes };
  }

  /** Compares with the needle of that id, if there is one. A change that needs no record, or may not be, is settled. */
  #isNeeded({ record, resolve, reject }: Waiting): boolean {
    const known = this.#target.index.find(idHigh(record.needleId), idLow(record.needleId));
    if (known === undefined) {
      if (record.kind === "remove") resolve("needless");
      return record.kind === "append";
    }
    try {
      const header = Buffer.allocUnsafe(HEADER_BYTES);
      this.#target.data.readAtSync(header, known.offsetBytes);
      if (readHeader(header, 0).cookie === record.cookie) return true;
    } catch (error) {
      reject(this.#error("read-failed", "the earlier needle cannot be read", error));
      return false;
    }
    // To a removal a needle with another cookie is another needle, which it does not find.
    if (record.kind === "remove") resolve("needless");
    else reject(this.#error("cookie-mismatch", "the needle id exists with another cookie"));
    return false;
  }

  /** Makes a batch durable and known. Returns why not, after having undone it or poisoned the volume. */
  async #write(batch: Batch): Promise<VolumeError | undefined> {
    const { data, index, indexFile } = this.#target;
    const nowNs = this.#options.clock.nowNs();
    const firstDateNs = nowNs > this.#lastDateNs ? nowNs : this.#lastDateNs + 1n;
    try {
      await data.writeAt(encodeRecords(batch.records, firstDateNs), this.#endBytes);
    } catch (error) {
      return this.#undoWrite(error);
    }
    try {
      await data.sync();
    } catch (error) {
      return this.#poison("sync", error);
    }
    this.#firstDateNs ??= firstDateNs;
    this.#lastDateNs = firstDateNs + BigInt(batch.records.length - 1);
    if (batch.records.some((record) => record.kind === "append")) {
      this.#lastNeedleNs = this.#lastDateNs;
    }
    indexFile.append(indexRecords(index, batch.records, this.#endBytes));
    this.#endBytes += batch.bytes;
    if (this.#state === "writable" && this.#endBytes >= this.#options.sizeBytesMax) {
      this.#changeState("full");
    }
    return undefined;
  }

  /** Without space the file is cut back to what is durable and the volume goes on; anything else poisons it. */
  async #undoWrite(cause: unknown): Promise<VolumeError> {
    if (!(cause instanceof DiskError && cause.isOutOfSpace)) return this.#poison("write", cause);
    try {
      await this.#target.data.truncate(this.#endBytes);
    } catch (error) {
      return this.#poison("truncate", error);
    }
    return this.#error("out-of-space", "the disk has no space", cause);
  }

  #poison(action: string, cause: unknown): VolumeError {
    this.#options.log.error("a volume failed and takes no more appends", {
      path: this.#target.data.path,
      action,
      error: cause,
    });
    const failure = this.#error("volume-failed", `the disk failed to ${action}`, cause);
    const abandoned = this.#queue;
    this.#queue = [];
    this.#queueBytes = 0;
    this.#changeState("failed");
    for (const { reject } of abandoned) reject(failure);
    return failure;
  }

  #openState(): VolumeState {
    return this.#endBytes >= this.#options.sizeBytesMax ? "full" : "writable";
  }

  #changeState(state: VolumeState): void {
    this.#state = state;
    this.#options.onStateChange(state);
  }

  #error(code: VolumeErrorCode, found: string, cause?: unknown): VolumeError {
    return new VolumeError(code, `Cannot change volume ${this.#target.data.path}: ${found}`, {
      cause,
    });
  }
}
