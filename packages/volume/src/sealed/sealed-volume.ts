import type { Clock } from "@kelp/base";
import {
  type Fid,
  type NeedleContent,
  type ReadNeedle,
  type ScannedNeedle,
  type StoredNeedle,
  type VolumeId,
  type VolumeState,
  type VolumeStatus,
  formatFid,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { Checksums } from "../needle/decode.ts";
import { idHigh, idLow } from "../needle/id-halves.ts";
import { ALIGNMENT_BYTES, recordBytesOf } from "../needle/layout.ts";
import { checkRecord, openRecord } from "../needle/stored-needle.ts";
import { ttlLengthMs } from "../needle/ttl.ts";
import { SUPERBLOCK_BYTES } from "../superblock/superblock.ts";
import { RunningReads } from "../volume/running-reads.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import type { SealedContent } from "./sealed-content.ts";
import { SealedRecords } from "./sealed-records.ts";

export interface SealedVolumeOptions {
  readonly id: VolumeId;
  readonly collection: string;
  readonly content: SealedContent;
  readonly clock: Pick<Clock, "nowMs">;
  readonly hashes: Checksums;
}

/**
 * A volume whose file does not change any more: its shards or its remote copy are read, needles can be removed, nothing can
 * be appended. Every needle read is checked, see `SealedRecords`.
 */
export class SealedVolume implements ServedVolume {
  readonly id: VolumeId;
  readonly collection: string;
  readonly content: SealedContent;
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #hashes: Checksums;
  readonly #records: SealedRecords;
  readonly #running = new RunningReads();
  readonly #removals = new Set<Promise<number | undefined>>();
  #frozenBy: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SealedVolumeOptions) {
    this.id = options.id;
    this.collection = options.collection;
    this.content = options.content;
    this.#clock = options.clock;
    this.#hashes = options.hashes;
    this.#records = new SealedRecords(options);
  }

  /** `failed` when too little is left to read all of it; what can be read still is. */
  get state(): VolumeState {
    return this.content.isComplete ? "read-only" : "failed";
  }

  async append(_fid: Fid, _data: Uint8Array): Promise<void> {
    throw this.#readOnly("append to");
  }

  async writeNeedle(_fid: Fid, _needle: NeedleContent): Promise<"written" | "unchanged"> {
    throw this.#readOnly("write to");
  }

  /** It is read-only by its form. */
  async setWritable(state: "writable" | "read-only"): Promise<void> {
    if (state === "writable") throw this.#readOnly("write to");
  }

  async read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined> {
    this.#refuseClosed();
    const decoded = await this.#running.during(() =>
      this.#records.read(fid, scratch, (found) =>
        checkRecord(fid, { ...found, hash64 }, this.#hashes),
      ),
    );
    if (decoded === undefined || this.#isExpired(decoded)) return undefined;
    return decoded.data;
  }

  /** What was removed cannot be read: `removed` makes no difference. */
  async readNeedle(fid: Fid, options: ReadNeedle = {}): Promise<StoredNeedle | undefined> {
    this.#refuseClosed();
    if (options.admit !== undefined) {
      const location = this.#records.find(fid);
      if (location === undefined) return undefined;
      await options.admit(recordBytesOf(location.bodyBytes, this.content.version));
      this.#refuseClosed();
    }
    const needle = await this.#running.during(() =>
      this.#records.read(fid, undefined, (found) => openRecord(fid, found, this.#hashes)),
    );
    if (needle === undefined) return undefined;
    const ttlMs = needle.ttl === undefined ? undefined : ttlLengthMs(needle.ttl);
    return this.#isExpired({ ttlMs, dateNs: needle.appendedNs }) ? undefined : needle;
  }

  /** Absent needles, and those with another cookie, are skipped. */
  async remove(fid: Fid): Promise<void> {
    await this.removeNeedle(fid);
  }

  async removeNeedle(fid: Fid): Promise<number | undefined> {
    this.#refuseClosed();
    if (this.#frozenBy !== undefined) {
      throw new VolumeError(
        "read-only",
        `Cannot remove needle ${formatFid(fid)}: ${this.#frozenBy} is under way`,
      );
    }
    const removal = this.#running.during(() => this.#remove(fid));
    this.#removals.add(removal);
    try {
      return await removal;
    } finally {
      this.#removals.delete(removal);
    }
  }

  async *scan(): AsyncGenerator<ScannedNeedle> {
    this.#refuseClosed();
    const units = await this.#running.during(() => this.content.index.liveOffsetUnits());
    for (const unit of units) {
      this.#refuseClosed();
      const scanned = await this.#running.during(() =>
        this.#records.examine(unit * ALIGNMENT_BYTES),
      );
      if (scanned !== undefined) yield scanned;
    }
  }

  status(): VolumeStatus {
    const { content } = this;
    const { index } = content;
    const sizeBytes = content.file.sizeBytes();
    return {
      ...content.traits(),
      id: this.id,
      collection: this.collection,
      sizeBytes,
      liveCount: index.liveCount,
      liveBytes: index.liveBytes,
      deletedCount: index.removedCount,
      deletedBytes: Math.max(0, sizeBytes - SUPERBLOCK_BYTES - index.liveBytes),
      needleIdMax: index.needleIdMax,
      state: this.state,
      createdMs: content.createdMs,
      modifiedMs: content.modifiedMs,
    };
  }

  /** Refuses removals while a job works on a copy, once those under way are settled; disposing takes them again. */
  async freeze(job: string): Promise<Disposable> {
    this.#frozenBy = job;
    await Promise.allSettled(this.#removals);
    return {
      [Symbol.dispose]: () => {
        this.#frozenBy = undefined;
      },
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#running.settled();
    try {
      await this.content.index.close();
    } finally {
      await this.content.file.close();
    }
  }

  async #remove(fid: Fid): Promise<number | undefined> {
    const dataBytes = await this.#records.dataBytesOf(fid);
    if (dataBytes === undefined) return undefined;
    await this.content.index.remove(idHigh(fid.needleId), idLow(fid.needleId));
    return dataBytes;
  }

  #isExpired(needle: { readonly ttlMs: number | undefined; readonly dateNs: bigint }): boolean {
    const lifetimeMs = needle.ttlMs ?? ttlLengthMs(this.content.traits().ttl);
    if (lifetimeMs === undefined) return false;
    return this.#clock.nowMs() > Number(needle.dateNs / 1_000_000n) + lifetimeMs;
  }

  #readOnly(action: string): VolumeError {
    const { kind } = this.content.traits().form;
    return new VolumeError("read-only", `Cannot ${action} volume ${this.id}: it is ${kind}`);
  }

  #refuseClosed(): void {
    if (this.#closing === undefined) return;
    throw new VolumeError("closed", `Cannot use volume ${this.id}: it is closed`);
  }
}
