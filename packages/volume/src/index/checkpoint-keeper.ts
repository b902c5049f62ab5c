import { DiskError, type DiskFile, type Log, assert } from "@kelp/base";
import {
  CHECKPOINT_CHANGES_MIN,
  CHECKPOINT_CLOSE_CHANGES_MIN,
  CHECKPOINT_CLOSE_PARTS,
  CHECKPOINT_PARTS,
  CHECKPOINT_SPACE_LEFT_BYTES,
} from "../limits.ts";
import { type LastRecord, lastRecordSum } from "./checkpoint-format.ts";
import { fingerprintOf } from "./checkpoint-reader.ts";
import {
  type CheckpointFacts,
  type CheckpointTarget,
  writeCheckpoint,
} from "./checkpoint-writer.ts";
import type { IndexSnapshot } from "./index-snapshot.ts";
import type { NeedleIndex } from "./needle-index.ts";

export interface CheckpointKeeperOptions extends CheckpointTarget {
  readonly log: Log;
  readonly index: NeedleIndex;
  readonly dataFile: DiskFile;
  /** First 8 bytes of the volume file. */
  readonly superblock: Uint8Array;
}

/** The part of the index file that makes the index what it is now, and how to come by it. */
export interface CheckpointPoint {
  readonly indexFileBytes: number;
  readonly lastRecord: LastRecord;
  readonly file: DiskFile;
  /** Resolves when that part is written; `false`: it could not be. */
  readonly isWritten: () => Promise<boolean>;
}

/**
 * Decides when the checkpoint of an index is written anew: in the background when so much has changed that replaying it
 * would take long, and at closing for less. A checkpoint that cannot be written costs time at the next opening and nothing
 * else: that is logged, and tried again after more changes.
 */
export class CheckpointKeeper {
  readonly #options: CheckpointKeeperOptions;
  /** Entries of the index file that the checkpoint does not cover. */
  #changedCount: number;
  /** No try before there are so many. */
  #notBefore = 0;
  #running: Promise<void> | undefined;

  constructor(options: CheckpointKeeperOptions, changedCount: number) {
    this.#options = options;
    this.#changedCount = changedCount;
  }

  /** `count` entries were added to the index and handed to its file. `point` is asked for only when it is needed. */
  noteChanges(count: number, point: () => CheckpointPoint | undefined): void {
    this.#changedCount += count;
    if (this.#running !== undefined || this.#changedCount < this.#notBefore) return;
    const { entryCount } = this.#options.index;
    if (this.#changedCount < Math.max(CHECKPOINT_CHANGES_MIN, entryCount / CHECKPOINT_PARTS))
      return;
    this.#start(point());
  }

  /** Waits for what is being written; then writes when enough changed. Nothing may change meanwhile. */
  async close(point: CheckpointPoint | undefined): Promise<void> {
    await this.#running;
    const { entryCount } = this.#options.index;
    const enough = Math.max(CHECKPOINT_CLOSE_CHANGES_MIN, entryCount / CHECKPOINT_CLOSE_PARTS);
    if (this.#changedCount < enough) return;
    this.#start(point);
    await this.#running;
  }

  /** Resolves when nothing is being written. */
  async settle(): Promise<void> {
    await this.#running;
  }

  #start(point: CheckpointPoint | undefined): void {
    if (point === undefined) return;
    assert(this.#running === undefined, "one checkpoint is written at a time");
    // In this turn, while the index and the point belong together.
    this.#running = this.#run(point, this.#options.index.takeSnapshot());
  }

  async #run(point: CheckpointPoint, snapshot: IndexSnapshot): Promise<void> {
    const coveredCount = this.#changedCount;
    const isWritten = await this.#write(point, snapshot);
    this.#running = undefined;
    if (isWritten) this.#changedCount -= coveredCount;
    this.#notBefore = isWritten ? 0 : this.#changedCount + CHECKPOINT_CHANGES_MIN;
  }

  async #write(point: CheckpointPoint, taken: IndexSnapshot): Promise<boolean> {
    using snapshot = taken;
    const { log, path } = this.#options;
    try {
      if (!(await point.isWritten()) || !(await this.#hasSpace(snapshot))) return false;
      // A checkpoint that covers more of the index file than there is after a crash would be of no use.
      await point.file.sync();
      const facts = await this.#facts(point);
      return await writeCheckpoint(this.#options, facts, snapshot);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      log.warn("cannot write the checkpoint of an index", { path, error });
      return false;
    }
  }

  async #facts({ file, indexFileBytes, lastRecord }: CheckpointPoint): Promise<CheckpointFacts> {
    const { index, superblock, hashes, dataFile } = this.#options;
    const bodyBytes = Math.max(0, lastRecord.bodyBytes);
    const offsetBytes = lastRecord.endBytes - index.recordBytes(bodyBytes);
    return {
      offsetWidth: index.offsetWidth,
      superblock,
      indexFileBytes,
      fingerprint: await fingerprintOf(file, indexFileBytes, hashes),
      lastRecord,
      lastRecordSum: await lastRecordSum(dataFile, { offsetBytes, bodyBytes }, hashes),
    };
  }

  async #hasSpace(snapshot: IndexSnapshot): Promise<boolean> {
    let needed = CHECKPOINT_SPACE_LEFT_BYTES;
    for (const leaf of snapshot.leaves) needed += leaf?.memoryBytes ?? 0;
    const { disk, folder } = this.#options;
    return (await disk.space(folder)).availableBytes >= needed;
  }
}
