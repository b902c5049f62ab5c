import type { Clock, Hashes } from "@kelp/base";
import {
  type Fid,
  type NeedleId,
  type ScannedNeedle,
  type VolumeId,
  type VolumeState,
  type VolumeStatus,
  formatFid,
  needleId,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { NeedleLocation } from "../index/needle-index.ts";
import { KNOWN_CORRUPT_COUNT_MAX, SYNC_READ_BYTES_MAX } from "../limits.ts";
import { type NeedleHeader, decodeNeedle, readHeader } from "../needle/decode.ts";
import { idHigh, idLow, joinIdHalves } from "../needle/id-halves.ts";
import { ALIGNMENT_BYTES, HEADER_BYTES, recordBytesOf } from "../needle/layout.ts";
import { SUPERBLOCK_BYTES } from "../superblock/superblock.ts";
import { RunningReads } from "../volume/running-reads.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import type { SealedContent } from "./sealed-content.ts";

export interface SealedVolumeOptions {
  readonly id: VolumeId;
  readonly collection: string;
  readonly content: SealedContent;
  readonly clock: Pick<Clock, "nowMs">;
  readonly hashes: Pick<Hashes, "crc32c" | "xxh3">;
}

/**
 * A volume whose file does not change any more: its shards or its remote copy are read, needles can be removed, nothing can
 * be appended. Every needle read is checked; one that is not good is read in every other way that there is first.
 */
export class SealedVolume implements ServedVolume {
  readonly id: VolumeId;
  readonly collection: string;
  readonly content: SealedContent;
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #hashes: Pick<Hashes, "crc32c" | "xxh3">;
  readonly #running = new RunningReads();
  /** Of which every way of reading gave bad bytes. */
  readonly #knownCorrupt = new Set<NeedleId>();
  readonly #removals = new Set<Promise<void>>();
  #frozenBy: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SealedVolumeOptions) {
    this.id = options.id;
    this.collection = options.collection;
    this.content = options.content;
    this.#clock = options.clock;
    this.#hashes = options.hashes;
  }

  /** `failed` when too little is left to read all of it; what can be read still is. */
  get state(): VolumeState {
    return this.content.isComplete ? "read-only" : "failed";
  }

  async append(_fid: Fid, _data: Uint8Array): Promise<void> {
    throw new VolumeError(
      "read-only",
      `Cannot append to volume ${this.id}: it is ${this.content.traits().form.kind}`,
    );
  }

  async read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined> {
    this.#refuseClosed();
    return this.#running.during(() => this.#read(fid, scratch, hash64));
  }

  /** Absent needles, and those with another cookie, are skipped. */
  async remove(fid: Fid): Promise<void> {
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
      await removal;
    } finally {
      this.#removals.delete(removal);
    }
  }

  async *scan(): AsyncGenerator<ScannedNeedle> {
    this.#refuseClosed();
    const units = await this.#running.during(() => this.content.index.liveOffsetUnits());
    for (const unit of units) {
      this.#refuseClosed();
      const scanned = await this.#running.during(() => this.#examine(unit * ALIGNMENT_BYTES));
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

  async #read(
    fid: Fid,
    scratch: Uint8Array | undefined,
    hash64: bigint | undefined,
  ): Promise<Uint8Array | undefined> {
    const location = this.#find(fid);
    if (location === undefined) return undefined;
    const record = recordMemory(recordBytesOf(location.bodyBytes), scratch);
    await this.#fill(fid, record, location.offsetBytes);
    let opened = this.#open(fid, record, { location, hash64 });
    if (opened.kind === "corrupt" && !this.#knownCorrupt.has(fid.needleId)) {
      const isGood = (): boolean => {
        opened = this.#open(fid, record, { location, hash64 });
        return opened.kind !== "corrupt";
      };
      if (!(await this.#fillAround(fid, record, location.offsetBytes, isGood))) {
        this.#rememberCorrupt(fid.needleId);
      }
    }
    if (opened.kind === "corrupt") throw corrupt(fid, opened.reason);
    return opened.kind === "absent" ? undefined : opened.data;
  }

  /** Checks a record against its address; the data is a view of the record. */
  #open(
    fid: Fid,
    record: Buffer,
    wanted: { readonly location: NeedleLocation; readonly hash64: bigint | undefined },
  ): Opened {
    const { bodyBytes } = wanted.location;
    const header = readHeader(record, 0);
    const reason = headerDamage(header, fid, bodyBytes);
    if (reason !== undefined) return { kind: "corrupt", reason };
    if (header.cookie !== fid.cookie) return { kind: "absent" };
    const decoded = decodeNeedle(record, bodyBytes, this.#hashes, wanted.hash64);
    if (decoded.kind === "corrupt") return decoded;
    const { ttlMs, dateNs } = decoded;
    const isExpired =
      ttlMs !== undefined && this.#clock.nowMs() > Number(dateNs / 1_000_000n) + ttlMs;
    return isExpired ? { kind: "absent" } : { kind: "data", data: decoded.data };
  }

  async #remove(fid: Fid): Promise<void> {
    const location = this.#find(fid);
    if (location === undefined) return;
    const record = Buffer.alloc(HEADER_BYTES);
    await this.#fill(fid, record, location.offsetBytes);
    const isGood = (): boolean =>
      headerDamage(readHeader(record, 0), fid, location.bodyBytes) === undefined;
    if (!isGood() && !(await this.#fillAround(fid, record, location.offsetBytes, isGood))) {
      throw corrupt(fid, "another record stands there");
    }
    if (readHeader(record, 0).cookie !== fid.cookie) return;
    await this.content.index.remove(idHigh(fid.needleId), idLow(fid.needleId));
  }

  /** `undefined` when it was removed since the scan began. */
  async #examine(offsetBytes: number): Promise<ScannedNeedle | undefined> {
    const head = Buffer.alloc(HEADER_BYTES);
    const readHead = (): NeedleHeader => readHeader(head, 0);
    const isHeadGood = (): boolean => {
      const { idHigh: high, idLow: low, bodyBytes } = readHead();
      const location = this.content.index.find(high, low);
      return location?.offsetBytes === offsetBytes && location.bodyBytes === bodyBytes;
    };
    try {
      await this.content.file.readAt(head, offsetBytes);
      if (!isHeadGood() && !(await this.content.file.readAround(head, offsetBytes, isHeadGood))) {
        return await this.#corruptAt(offsetBytes, "another record stands there");
      }
    } catch (error) {
      return this.#corruptAt(offsetBytes, reasonOf(error));
    }
    const { idHigh: high, idLow: low, cookie } = readHead();
    const id = needleId(joinIdHalves(high, low));
    return this.#examineBody({ volumeId: this.id, needleId: id, cookie }, offsetBytes);
  }

  async #examineBody(fid: Fid, offsetBytes: number): Promise<ScannedNeedle | undefined> {
    const { needleId: id, cookie } = fid;
    const location = this.#find(fid);
    if (location === undefined) return undefined;
    const record = Buffer.allocUnsafeSlow(recordBytesOf(location.bodyBytes));
    const decode = () => decodeNeedle(record, location.bodyBytes, this.#hashes);
    try {
      await this.#fill(fid, record, offsetBytes);
      let decoded = decode();
      if (decoded.kind === "corrupt") {
        await this.content.file.readAround(record, offsetBytes, () => {
          decoded = decode();
          return decoded.kind === "needle";
        });
      }
      return decoded.kind === "needle"
        ? { kind: "live", needleId: id, cookie, sizeBytes: decoded.data.length }
        : { kind: "corrupt", needleId: id, offsetBytes, reason: decoded.reason };
    } catch (error) {
      return { kind: "corrupt", needleId: id, offsetBytes, reason: reasonOf(error) };
    }
  }

  /** The needle that should be there. */
  async #corruptAt(offsetBytes: number, reason: string): Promise<ScannedNeedle | undefined> {
    for await (const entry of this.content.index.entries()) {
      if (entry.offsetBytes !== offsetBytes) continue;
      const id = needleId(joinIdHalves(entry.idHigh, entry.idLow));
      return { kind: "corrupt", needleId: id, offsetBytes, reason };
    }
    return undefined;
  }

  #find(fid: Fid): NeedleLocation | undefined {
    try {
      return this.content.index.find(idHigh(fid.needleId), idLow(fid.needleId));
    } catch (error) {
      throw readFailed(fid, error);
    }
  }

  async #fill(fid: Fid, record: Buffer, offsetBytes: number): Promise<void> {
    const { file } = this.content;
    try {
      const isSmall = record.length <= SYNC_READ_BYTES_MAX;
      const count = isSmall ? file.readAtSync(record, offsetBytes) : undefined;
      if ((count ?? (await file.readAt(record, offsetBytes))) === record.length) return;
    } catch (error) {
      throw readFailed(fid, error);
    }
    throw corrupt(fid, "the volume file ends before it");
  }

  async #fillAround(
    fid: Fid,
    record: Buffer,
    offsetBytes: number,
    isGood: () => boolean,
  ): Promise<boolean> {
    try {
      return await this.content.file.readAround(record, offsetBytes, isGood);
    } catch (error) {
      throw readFailed(fid, error);
    }
  }

  #rememberCorrupt(id: NeedleId): void {
    if (this.#knownCorrupt.size >= KNOWN_CORRUPT_COUNT_MAX) this.#knownCorrupt.clear();
    this.#knownCorrupt.add(id);
  }

  #refuseClosed(): void {
    if (this.#closing === undefined) return;
    throw new VolumeError("closed", `Cannot use volume ${this.id}: it is closed`);
  }
}

type Opened =
  | { readonly kind: "data"; readonly data: Uint8Array }
  | { readonly kind: "absent" }
  | { readonly kind: "corrupt"; readonly reason: string };

function headerDamage(header: NeedleHeader, fid: Fid, bodyBytes: number): string | undefined {
  if (header.idHigh !== idHigh(fid.needleId) || header.idLow !== idLow(fid.needleId)) {
    return "another needle id stands there";
  }
  return header.bodyBytes === bodyBytes
    ? undefined
    : `size is ${header.bodyBytes}, expected ${bodyBytes}`;
}

function recordMemory(recordBytes: number, scratch: Uint8Array | undefined): Buffer {
  return scratch !== undefined && recordBytes <= scratch.length
    ? Buffer.from(scratch.buffer, scratch.byteOffset, recordBytes)
    : Buffer.allocUnsafeSlow(recordBytes);
}

function corrupt(fid: Fid, found: string): VolumeError {
  return new VolumeError("needle-corrupt", `Cannot read needle ${formatFid(fid)}: ${found}`);
}

function readFailed(fid: Fid, cause: unknown): unknown {
  if (cause instanceof VolumeError) return cause;
  return new VolumeError(
    "read-failed",
    `Cannot read needle ${formatFid(fid)}: ${reasonOf(cause)}`,
    {
      cause,
    },
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown";
}
