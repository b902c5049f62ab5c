import { type Clock, type DiskFile, assert } from "@kelp/base";
import {
  type Fid,
  type NeedleContent,
  PLAIN_VOLUME,
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
import type { NeedleIndex, NeedleLocation } from "../index/needle-index.ts";
import { type Checksums, decodeNeedle, readHeader } from "../needle/decode.ts";
import { idHigh, idLow, joinIdHalves } from "../needle/id-halves.ts";
import { recordBytesOf } from "../needle/layout.ts";
import { corruptNeedle, openRecord } from "../needle/stored-needle.ts";
import { ttlLengthMs } from "../needle/ttl.ts";
import { SUPERBLOCK_BYTES, type Superblock } from "../superblock/superblock.ts";
import { indexOldRecords } from "./old-records.ts";
import { type VolumeDeps, addressableBytes, dataPath, indexPath } from "./open-files.ts";
import { RunningReads } from "./running-reads.ts";
import type { ServedVolume } from "./served-volume.ts";
import type { VolumeInfo } from "./volume-info.ts";
import type { VolumeOptions } from "./volume.ts";

export interface OldContent {
  readonly data: DiskFile;
  /** Never changes. */
  readonly index: NeedleIndex;
  readonly superblock: Superblock;
  readonly endBytes: number;
}

/** A volume of version 1 or 2, as SeaweedFS wrote them years ago: read, never changed. A vacuum makes one of version 3 of it. */
export class OldVolume implements ServedVolume {
  readonly state: VolumeState = "read-only";
  readonly #options: VolumeOptions;
  readonly #data: DiskFile;
  readonly #superblock: Superblock;
  readonly #info: VolumeInfo;
  readonly #index: NeedleIndex;
  readonly #sizeBytes: number;
  readonly #clock: Clock;
  readonly #hashes: Checksums;
  readonly #openedMs: number;
  readonly #reads = new RunningReads();
  #closing: Promise<void> | undefined;

  /** Throws `unsupported-format`, or `DiskError`. */
  static async open(
    deps: VolumeDeps,
    options: VolumeOptions,
    found: { readonly superblock: Superblock; readonly info: VolumeInfo },
  ): Promise<OldVolume> {
    const { superblock, info } = found;
    const file = await deps.disk.open(dataPath(options), { access: "read" });
    try {
      const records = {
        file,
        version: superblock.version,
        offsetWidth: info.offsetBytes,
        startBytes: SUPERBLOCK_BYTES + superblock.extraBytes,
        endBytes: await addressableBytes(file, info),
        log: deps.log,
      };
      const path = indexPath(options);
      await using indexFile = (await deps.disk.exists(path))
        ? await deps.disk.open(path, { access: "read" })
        : undefined;
      const index = await indexOldRecords(records, indexFile);
      return new OldVolume(deps, options, { ...found, file, index, sizeBytes: records.endBytes });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor(
    deps: VolumeDeps,
    options: VolumeOptions,
    opened: {
      readonly superblock: Superblock;
      readonly info: VolumeInfo;
      readonly file: DiskFile;
      readonly index: NeedleIndex;
      readonly sizeBytes: number;
    },
  ) {
    this.#options = options;
    this.#data = opened.file;
    this.#superblock = opened.superblock;
    this.#info = opened.info;
    this.#index = opened.index;
    this.#sizeBytes = opened.sizeBytes;
    this.#clock = deps.clock;
    this.#hashes = deps.hashes;
    this.#openedMs = deps.clock.nowMs();
  }

  get id(): VolumeId {
    return this.#options.id;
  }

  /** What it consists of, for a job that copies it. The volume goes on owning it. */
  get content(): OldContent {
    const [data, index] = [this.#data, this.#index];
    return { data, index, superblock: this.#superblock, endBytes: this.#sizeBytes };
  }

  get collection(): string {
    return this.#options.collection;
  }

  async append(_fid: Fid, _data: Uint8Array): Promise<void> {
    throw this.#readOnly();
  }

  async remove(_fid: Fid): Promise<void> {
    throw this.#readOnly();
  }

  async writeNeedle(_fid: Fid, _needle: NeedleContent): Promise<"written" | "unchanged"> {
    throw this.#readOnly();
  }

  async removeNeedle(_fid: Fid): Promise<number | undefined> {
    throw this.#readOnly();
  }

  async setWritable(state: "writable" | "read-only"): Promise<void> {
    if (state === "writable") throw this.#readOnly();
  }

  async read(fid: Fid): Promise<Uint8Array | undefined> {
    return (await this.readNeedle(fid))?.data;
  }

  async readNeedle(fid: Fid, options: ReadNeedle = {}): Promise<StoredNeedle | undefined> {
    assert(fid.volumeId === this.#options.id, "a needle is read from its own volume");
    const [high, low] = [idHigh(fid.needleId), idLow(fid.needleId)];
    const live = this.#index.find(high, low);
    const location =
      live ?? (options.removed === "read" ? this.#index.findRemoved(high, low) : live);
    if (location === undefined) return undefined;
    await options.admit?.(recordBytesOf(location.bodyBytes, this.#superblock.version));
    const record = await this.#readRecord(fid, location);
    const { bodyBytes } = location;
    const { version } = this.#superblock;
    const needle = openRecord(fid, { record, bodyBytes, version }, this.#hashes);
    return needle === undefined || this.#isExpired(needle) ? undefined : needle;
  }

  async *scan(): AsyncGenerator<ScannedNeedle> {
    const places: { readonly id: bigint; readonly location: NeedleLocation }[] = [];
    this.#index.forEachLive((high, low, offsetBytes, bodyBytes) => {
      places.push({ id: joinIdHalves(high, low), location: { offsetBytes, bodyBytes } });
    });
    places.sort((left, right) => left.location.offsetBytes - right.location.offsetBytes);
    for (const { id, location } of places) yield await this.#scanOne(id, location);
  }

  status(): VolumeStatus {
    const { version, replicaPlacement, ttl, compactionRevision } = this.#superblock;
    return {
      ...PLAIN_VOLUME,
      version,
      replicaPlacement: this.#info.replicaPlacement ?? replicaPlacement,
      ttl,
      compactionRevision,
      disk: this.#options.disk ?? 0,
      diskType: this.#options.diskType ?? "",
      id: this.#options.id,
      collection: this.#options.collection,
      sizeBytes: this.#sizeBytes,
      liveCount: this.#index.liveCount,
      liveBytes: this.#index.liveBytes,
      deletedCount: this.#index.deletedCount,
      deletedBytes: this.#index.deletedBytes,
      needleIdMax: this.#index.needleIdMax,
      state: this.state,
      createdMs: this.#openedMs,
      modifiedMs: 0,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#reads.settled().then(() => this.#data.close());
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #scanOne(id: bigint, location: NeedleLocation): Promise<ScannedNeedle> {
    const fid = { volumeId: this.#options.id, needleId: needleId(id), cookie: 0 };
    const { bodyBytes, offsetBytes } = location;
    const record = await this.#readRecord(fid, location);
    const header = readHeader(record, 0);
    const isOther = joinIdHalves(header.idHigh, header.idLow) !== id;
    const decoded = decodeNeedle(record, bodyBytes, this.#hashes, this.#superblock.version);
    const { cookie } = header;
    const corrupt = (reason: string): ScannedNeedle => {
      const recordBytes = record.length;
      return { kind: "corrupt", needleId: fid.needleId, cookie, offsetBytes, recordBytes, reason };
    };
    if (isOther || header.bodyBytes !== bodyBytes) return corrupt("another record");
    if (decoded.kind === "corrupt") return corrupt(decoded.reason);
    const sizeBytes = decoded.data.length;
    return { kind: "live", needleId: fid.needleId, cookie, sizeBytes, appendedNs: decoded.dateNs };
  }

  async #readRecord(fid: Fid, location: NeedleLocation): Promise<Buffer> {
    if (this.#closing !== undefined) {
      throw new VolumeError("closed", `Cannot use volume ${this.#options.id}: it is closed`);
    }
    const recordBytes = recordBytesOf(location.bodyBytes, this.#superblock.version);
    const record = Buffer.allocUnsafeSlow(recordBytes);
    let count: number;
    try {
      count = await this.#reads.during(() => this.#data.readAt(record, location.offsetBytes));
    } catch (error) {
      const text = `Cannot read needle ${formatFid(fid)}: the disk refused`;
      throw new VolumeError("read-failed", text, { cause: error });
    }
    if (count === recordBytes) return record;
    throw corruptNeedle(fid, `the volume file ends after ${count} of ${recordBytes} bytes`);
  }

  /** Without a date of the append the lifetime counts from the modification. */
  #isExpired(needle: StoredNeedle): boolean {
    const lifetimeMs = ttlLengthMs(needle.ttl ?? this.#superblock.ttl);
    if (lifetimeMs === undefined || needle.lastModifiedSec === undefined) return false;
    return this.#clock.nowMs() > needle.lastModifiedSec * 1000 + lifetimeMs;
  }

  #readOnly(): VolumeError {
    const { id } = this.#options;
    const { version } = this.#superblock;
    return new VolumeError(
      "read-only",
      `Cannot change volume ${id}: it is of version ${version}; a vacuum makes it one of version 3`,
    );
  }
}
