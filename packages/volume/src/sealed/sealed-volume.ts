import type { Clock } from "@kelp/base";
import {
  type Fid,
  type NeedleContent,
  type NeedleId,
  type ReadNeedle,
  type ScannedNeedle,
  type StoredNeedle,
  type VolumeId,
  type VolumeState,
  type VolumeStatus,
  formatFid,
  needleId,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { NeedleLocation } from "../index/needle-index.ts";
import { KNOWN_NEEDLE_COUNT_MAX, SYNC_READ_BYTES_MAX } from "../limits.ts";
import { type Checksums, type NeedleHeader, decodeNeedle, readHeader } from "../needle/decode.ts";
import { idHigh, idLow, joinIdHalves } from "../needle/id-halves.ts";
import { ALIGNMENT_BYTES, HEADER_BYTES, PREFIX_BYTES, recordBytesOf } from "../needle/layout.ts";
import {
  type FoundRecord,
  checkRecord,
  corruptNeedle,
  openRecord,
} from "../needle/stored-needle.ts";
import { ttlLengthMs } from "../needle/ttl.ts";
import { SUPERBLOCK_BYTES } from "../superblock/superblock.ts";
import { RunningReads } from "../volume/running-reads.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import type { SealedContent } from "./sealed-content.ts";

export interface SealedVolumeOptions {
  readonly id: VolumeId;
  readonly collection: string;
  readonly content: SealedContent;
  readonly clock: Pick<Clock, "nowMs">;
  readonly hashes: Checksums;
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
  readonly #hashes: Checksums;
  readonly #running = new RunningReads();
  /** Of which every way of reading gave bad bytes. */
  readonly #knownCorrupt = new Set<NeedleId>();
  readonly #knownCookies = new Set<NeedleId>();
  readonly #removals = new Set<Promise<number | undefined>>();
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
      this.#readRecord(fid, scratch, (found) =>
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
      const location = this.#find(fid);
      if (location === undefined) return undefined;
      await options.admit(recordBytesOf(location.bodyBytes, this.content.version));
      this.#refuseClosed();
    }
    const needle = await this.#running.during(() =>
      this.#readRecord(fid, undefined, (found) => openRecord(fid, found, this.#hashes)),
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

  /** Reads the record of a needle and takes it apart; one that is not good is read again in every other way that there is. */
  async #readRecord<Needle>(
    fid: Fid,
    scratch: Uint8Array | undefined,
    open: (found: FoundRecord) => Needle | undefined,
  ): Promise<Needle | undefined> {
    const location = this.#find(fid);
    if (location === undefined) return undefined;
    const { bodyBytes, offsetBytes } = location;
    const { version } = this.content;
    const record = recordMemory(recordBytesOf(bodyBytes, version), scratch);
    await this.#fill(fid, record, offsetBytes);
    const attempt = (): Attempt<Needle> => {
      try {
        return { kind: "good", needle: open({ record, bodyBytes, version }) };
      } catch (error) {
        if (error instanceof VolumeError && error.code === "needle-corrupt") {
          return { kind: "corrupt", error };
        }
        throw error;
      }
    };
    let last = attempt();
    if (last.kind === "corrupt" && !this.#knownCorrupt.has(fid.needleId)) {
      const isGood = (): boolean => {
        last = attempt();
        return last.kind === "good";
      };
      if (!(await this.#fillAround(fid, record, offsetBytes, isGood))) {
        remember(this.#knownCorrupt, fid.needleId);
      }
    }
    if (last.kind === "corrupt") throw last.error;
    if (last.needle === undefined && (await this.#isCookieDamaged(fid, offsetBytes))) {
      await this.#fill(fid, record, offsetBytes);
      last = attempt();
      if (last.kind === "corrupt") throw last.error;
    }
    return last.needle;
  }

  /**
   * No checksum of a needle covers its cookie: whether it is the one asked for when the record is read in another way. Such an
   * inquiry reads much and is made once for a needle, since anybody may ask with a wrong cookie.
   */
  async #isCookieDamaged(fid: Fid, offsetBytes: number): Promise<boolean> {
    if (this.#knownCookies.has(fid.needleId)) return false;
    const head = Buffer.alloc(HEADER_BYTES);
    const isAskedFor = (): boolean => readHeader(head, 0).cookie === fid.cookie;
    const isDamaged = await this.#fillAround(fid, head, offsetBytes, isAskedFor);
    if (!isDamaged) remember(this.#knownCookies, fid.needleId);
    return isDamaged;
  }

  #isExpired(needle: { readonly ttlMs: number | undefined; readonly dateNs: bigint }): boolean {
    const lifetimeMs = needle.ttlMs ?? ttlLengthMs(this.content.traits().ttl);
    if (lifetimeMs === undefined) return false;
    return this.#clock.nowMs() > Number(needle.dateNs / 1_000_000n) + lifetimeMs;
  }

  async #remove(fid: Fid): Promise<number | undefined> {
    const location = this.#find(fid);
    if (location === undefined) return undefined;
    const { bodyBytes, offsetBytes } = location;
    const prefix = Buffer.alloc(bodyBytes === 0 ? HEADER_BYTES : PREFIX_BYTES);
    await this.#fill(fid, prefix, offsetBytes);
    const isGood = (): boolean => headerDamage(readHeader(prefix, 0), fid, bodyBytes) === undefined;
    const isWhole = isGood() || (await this.#fillAround(fid, prefix, offsetBytes, isGood));
    // What is damaged and has the cookie still is the needle that is meant: damage is no reason to keep it.
    const hasCookie = readHeader(prefix, 0).cookie === fid.cookie;
    if (!hasCookie && !isWhole) throw corruptNeedle(fid, "another record stands there");
    if (!hasCookie && !(await this.#isCookieDamaged(fid, offsetBytes))) return undefined;
    await this.content.index.remove(idHigh(fid.needleId), idLow(fid.needleId));
    const dataBytes = bodyBytes === 0 ? 0 : prefix.readUInt32BE(HEADER_BYTES);
    return dataBytes < bodyBytes ? dataBytes : 0;
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
        const { cookie } = readHead();
        return await this.#corruptAt(offsetBytes, "another record stands there", cookie);
      }
    } catch (error) {
      return this.#corruptAt(offsetBytes, reasonOf(error), undefined);
    }
    const { idHigh: high, idLow: low, cookie } = readHead();
    const id = needleId(joinIdHalves(high, low));
    return this.#examineBody({ volumeId: this.id, needleId: id, cookie }, offsetBytes);
  }

  async #examineBody(fid: Fid, offsetBytes: number): Promise<ScannedNeedle | undefined> {
    const { needleId: id, cookie } = fid;
    const location = this.#find(fid);
    if (location === undefined) return undefined;
    const { version } = this.content;
    const record = Buffer.allocUnsafeSlow(recordBytesOf(location.bodyBytes, version));
    const corrupt = (reason: string): ScannedNeedle => {
      const recordBytes = record.length;
      return { kind: "corrupt", needleId: id, cookie, offsetBytes, recordBytes, reason };
    };
    const decode = () => decodeNeedle(record, location.bodyBytes, this.#hashes, version);
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
        ? {
            kind: "live",
            needleId: id,
            cookie,
            sizeBytes: decoded.data.length,
            appendedNs: decoded.dateNs,
          }
        : corrupt(decoded.reason);
    } catch (error) {
      return corrupt(reasonOf(error));
    }
  }

  /** The needle that should be there. */
  async #corruptAt(
    offsetBytes: number,
    reason: string,
    cookie: number | undefined,
  ): Promise<ScannedNeedle | undefined> {
    for await (const entry of this.content.index.entries()) {
      if (entry.offsetBytes !== offsetBytes) continue;
      const id = needleId(joinIdHalves(entry.idHigh, entry.idLow));
      const recordBytes = recordBytesOf(entry.bodyBytes, this.content.version);
      return { kind: "corrupt", needleId: id, cookie, offsetBytes, recordBytes, reason };
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
    throw corruptNeedle(fid, "the volume file ends before it");
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

  #readOnly(action: string): VolumeError {
    const { kind } = this.content.traits().form;
    return new VolumeError("read-only", `Cannot ${action} volume ${this.id}: it is ${kind}`);
  }

  #refuseClosed(): void {
    if (this.#closing === undefined) return;
    throw new VolumeError("closed", `Cannot use volume ${this.id}: it is closed`);
  }
}

function remember(needles: Set<NeedleId>, id: NeedleId): void {
  if (needles.size >= KNOWN_NEEDLE_COUNT_MAX) needles.clear();
  needles.add(id);
}

type Attempt<Needle> =
  | { readonly kind: "good"; readonly needle: Needle | undefined }
  | { readonly kind: "corrupt"; readonly error: VolumeError };

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
