import { type Clock, type Disk, type Log, assert } from "@kelp/base";
import {
  type Fid,
  NO_TTL,
  type NeedleContent,
  type NeedleId,
  PLAIN_VOLUME,
  type ReadNeedle,
  type ScannedNeedle,
  type StoredNeedle,
  type Ttl,
  type VolumeId,
  type VolumeState,
  type VolumeStatus,
  formatFid,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { NeedleLocation } from "../index/needle-index.ts";
import { NEEDLE_DATA_BYTES_MAX, SYNC_READ_BYTES_MAX } from "../limits.ts";
import type { Checksums, DecodedNeedle } from "../needle/decode.ts";
import { encodeFields } from "../needle/fields.ts";
import { idHigh, idLow } from "../needle/id-halves.ts";
import { HEADER_BYTES, PREFIX_BYTES, recordBytesOf } from "../needle/layout.ts";
import { recordMemory } from "../needle/record-memory.ts";
import { checkRecord, corruptNeedle, openRecord } from "../needle/stored-needle.ts";
import { ttlLengthMs } from "../needle/ttl.ts";
import { NEW_SUPERBLOCK } from "../superblock/superblock.ts";
import { Appender } from "./appender.ts";
import {
  type VolumeDeps,
  type VolumeFiles,
  type VolumeName,
  basePath,
  createFiles,
  openFiles,
} from "./open-files.ts";
import { scanLive } from "./scan.ts";
import type { ServedVolume } from "./served-volume.ts";
import { isSameNeedle } from "./same-needle.ts";
import { SharedFiles } from "./shared-files.ts";
import type { Exchange, VolumeContent } from "./volume-content.ts";
import { type VolumeInfo, writeVolumeInfo } from "./volume-info.ts";

export interface VolumeOptions extends VolumeName {
  readonly sizeBytesMax: number;
  readonly graceBytes: number;
  readonly onStateChange: (state: VolumeState) => void;
  /** Of the folder; 0 and "" unless given. */
  readonly disk?: number;
  readonly diskType?: string;
  /** Needles that scrubbing found damaged, with the places of their records; goes on changing. */
  readonly quarantined?: ReadonlyMap<NeedleId, number>;
}

/** What a new volume is made for. */
export interface NewVolumeTraits {
  readonly replicaPlacement?: number | undefined;
  readonly ttl?: Ttl | undefined;
  readonly isLarge?: boolean | undefined;
}

/** One volume: its two open files, its index in memory and its one writer. */
export class Volume implements ServedVolume {
  readonly #options: VolumeOptions;
  readonly #log: Log;
  #shared: SharedFiles;
  readonly #quarantined: ReadonlyMap<NeedleId, number>;
  /** Exchanged, and held by somebody still. */
  #retired: SharedFiles[] = [];
  readonly #appender: Appender;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #hashes: Checksums;
  readonly #openedMs: number;
  /** Lifetime of needles without one of their own; `undefined` is for ever. */
  readonly #ttlMs: number | undefined;
  /** What a needle without fields gets in a volume with a TTL. */
  readonly #plainFields: Uint8Array | undefined;
  #info: VolumeInfo;
  #closing: Promise<void> | undefined;

  /** An empty volume, its files durable. */
  static async create(
    deps: VolumeDeps,
    options: VolumeOptions,
    traits: NewVolumeTraits = {},
  ): Promise<Volume> {
    const { replicaPlacement = 0, ttl = NO_TTL, isLarge = false } = traits;
    const superblock = { ...NEW_SUPERBLOCK, replicaPlacement, ttl };
    const made = { superblock, offsetBytes: isLarge ? 5 : 4 } as const;
    return new Volume(deps, options, await createFiles(deps, options, made));
  }

  /** Opens and repairs; see `openFiles`. */
  static async open(deps: VolumeDeps, options: VolumeOptions): Promise<Volume> {
    return new Volume(deps, options, await openFiles(deps, options));
  }

  private constructor(deps: VolumeDeps, options: VolumeOptions, files: VolumeFiles) {
    this.#options = options;
    this.#log = deps.log;
    this.#quarantined = options.quarantined ?? NONE_QUARANTINED;
    this.#shared = new SharedFiles(files, deps.log);
    this.#info = files.info;
    this.#disk = deps.disk;
    this.#clock = deps.clock;
    this.#hashes = deps.hashes;
    this.#openedMs = deps.clock.nowMs();
    const { ttl } = files.superblock;
    this.#ttlMs = ttlLengthMs(ttl);
    const plainFields = encodeFields({ ttl });
    assert(typeof plainFields !== "string", "a TTL of a superblock can be stored");
    this.#plainFields = plainFields;
    this.#appender = new Appender({
      ...files,
      isReadOnly: files.info.isReadOnly,
      takesRemovals: files.info.takesRemovals,
      clock: deps.clock,
      log: deps.log,
      sizeBytesMax: options.sizeBytesMax,
      graceBytes: options.graceBytes,
      onStateChange: options.onStateChange,
    });
  }

  get id(): VolumeId {
    return this.#options.id;
  }

  get collection(): string {
    return this.#options.collection;
  }

  get state(): VolumeState {
    return this.#appender.state;
  }

  get newestNeedleMs(): number {
    return Number(this.#appender.lastNeedleNs / 1_000_000n);
  }

  get #files(): VolumeFiles {
    return this.#shared.files;
  }

  /** What the volume consists of now, for jobs that read or copy all of it. */
  get content(): VolumeContent {
    const { data, index, indexFile, superblock } = this.#files;
    const { endBytes } = this.#appender;
    return { data, index, indexFile, superblock, info: this.#info, endBytes };
  }

  /** Damaged places that the opening came upon. */
  get damagedCount(): number {
    return this.#files.damagedCount;
  }

  async append(fid: Fid, data: Uint8Array): Promise<void> {
    await this.#store(fid, { data }, this.#plainFields);
  }

  async writeNeedle(fid: Fid, needle: NeedleContent): Promise<"written" | "unchanged"> {
    const content =
      this.#ttlMs === undefined || needle.ttl !== undefined ? needle : this.#withTtl(needle);
    const fields = this.#outlives(content) ? "it is to outlive its volume" : encodeFields(content);
    if (typeof fields === "string") {
      throw new VolumeError("invalid-needle", `Cannot write needle ${formatFid(fid)}: ${fields}`);
    }
    // Written again, a needle with a lifetime lives longer.
    if (content.ttl === undefined && this.#mayHold(fid) && (await this.#holds(fid, content))) {
      return "unchanged";
    }
    await this.#store(fid, needle, fields);
    return "written";
  }

  async remove(fid: Fid): Promise<void> {
    assert(fid.volumeId === this.#options.id, "a needle is removed from its own volume");
    const { needleId, cookie } = fid;
    await this.#appender.store({ kind: "remove", needleId, cookie });
  }

  async removeNeedle(fid: Fid): Promise<number | undefined> {
    assert(fid.volumeId === this.#options.id, "a needle is removed from its own volume");
    const location = this.#files.index.find(idHigh(fid.needleId), idLow(fid.needleId));
    if (location === undefined) return undefined;
    const dataBytes = this.#dataBytes(fid, location);
    const { needleId, cookie } = fid;
    const stored = await this.#appender.store({ kind: "remove", needleId, cookie });
    return stored === "stored" ? dataBytes : undefined;
  }

  async read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined> {
    this.#refuseClosed();
    const location = this.#files.index.find(idHigh(fid.needleId), idLow(fid.needleId));
    if (location === undefined) return undefined;
    this.#refuseQuarantined(fid, location);
    const recordBytes = recordBytesOf(location.bodyBytes);
    const record = recordMemory(recordBytes, scratch);
    const count =
      this.#readSmall(fid, record, location) ?? (await this.#readAsync(fid, record, location));
    refuseShort(fid, count, recordBytes);
    const found = { record, bodyBytes: location.bodyBytes, version: 3, hash64 } as const;
    const decoded = checkRecord(fid, found, this.#hashes);
    return decoded === undefined || this.#isExpired(decoded) ? undefined : decoded.data;
  }

  async readNeedle(fid: Fid, options: ReadNeedle = {}): Promise<StoredNeedle | undefined> {
    this.#refuseClosed();
    let location = this.#locate(fid, options);
    for (;;) {
      if (location === undefined) return undefined;
      const waiting = options.admit?.(recordBytesOf(location.bodyBytes));
      if (waiting === undefined) break;
      await waiting;
      this.#refuseClosed();
      // It may have been written again meanwhile, or moved.
      location = this.#locate(fid, options);
    }
    this.#refuseQuarantined(fid, location);
    const { bodyBytes } = location;
    const record = Buffer.allocUnsafeSlow(recordBytesOf(bodyBytes));
    const count =
      this.#readSmall(fid, record, location) ?? (await this.#readAsync(fid, record, location));
    refuseShort(fid, count, record.length);
    const needle = openRecord(fid, { record, bodyBytes, version: 3 }, this.#hashes);
    if (needle === undefined) return undefined;
    const ttlMs = needle.ttl === undefined ? undefined : ttlLengthMs(needle.ttl);
    return this.#isExpired({ ttlMs, dateNs: needle.appendedNs }) ? undefined : needle;
  }

  async setWritable(state: "writable" | "read-only"): Promise<void> {
    this.#refuseClosed();
    const isReadOnly = state === "read-only";
    // On disk first: what was told to be read-only stays so, whatever happens next.
    if (isReadOnly) await this.#saveReadOnly(isReadOnly);
    await this.#appender.setReadOnly(isReadOnly);
    if (!isReadOnly) await this.#saveReadOnly(isReadOnly);
  }

  async *scan(): AsyncGenerator<ScannedNeedle> {
    const shared = this.#shared;
    // What a vacuum replaces meanwhile stays readable to the end of the scan.
    using _held = shared.hold();
    const needles = scanLive({
      file: this.#files.data,
      endBytes: this.#appender.endBytes,
      index: this.#files.index,
      hashes: this.#hashes,
      clock: this.#clock,
    });
    for (;;) {
      this.#refuseClosed();
      const next = await shared.during(() => needles.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  status(): VolumeStatus {
    const { index } = this.#files;
    const { firstDateNs, lastDateNs } = this.#appender;
    const { version, replicaPlacement, ttl, compactionRevision } = this.#files.superblock;
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
      sizeBytes: this.#appender.endBytes,
      liveCount: index.liveCount,
      liveBytes: index.liveBytes,
      deletedCount: index.deletedCount,
      deletedBytes: index.deletedBytes,
      needleIdMax: index.needleIdMax,
      state: this.#appender.state,
      createdMs: firstDateNs === undefined ? this.#openedMs : Number(firstDateNs / 1_000_000n),
      modifiedMs: Number(lastDateNs / 1_000_000n),
    };
  }

  /** Resolves when the changes that were under way are durable or refused. */
  settled(): Promise<void> {
    return this.#appender.pauseFor(async () => {});
  }

  /**
   * Pauses the writer, and goes on with the files that `work` makes: they hold the same needles. Reads that began with the old
   * ones finish on them. When `work` throws, all stays as it was, and this rejects with that.
   */
  exchangeFiles(work: (content: VolumeContent) => Promise<Exchange>): Promise<void> {
    return this.#appender.pauseFor(async () => {
      const exchange = await work(this.content);
      if (exchange.kind !== "keep-and-fail") this.#adopt(exchange.files);
      if (exchange.kind !== "exchange") this.#appender.fail("exchange", exchange.cause);
    });
  }

  #adopt(files: VolumeFiles): void {
    const earlier = this.#shared;
    this.#shared = new SharedFiles(files, this.#log);
    this.#appender.exchange(files);
    earlier.retire();
    this.#retired = [...this.#retired.filter((each) => !each.isClosed), earlier];
  }

  #locate({ needleId }: Fid, { removed }: ReadNeedle): NeedleLocation | undefined {
    const { index } = this.#files;
    const [high, low] = [idHigh(needleId), idLow(needleId)];
    const live = index.find(high, low);
    return live ?? (removed === "read" ? index.findRemoved(high, low) : undefined);
  }

  #refuseQuarantined(fid: Fid, location: NeedleLocation): void {
    if (this.#quarantined.get(fid.needleId) !== location.offsetBytes) return;
    throw corruptNeedle(fid, "scrubbing found it damaged");
  }

  /** Waits for the changes and reads under way, then closes the files. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#appender.close();
    await Promise.all([...this.#retired, this.#shared].map((shared) => shared.close()));
  }

  #store(
    fid: Fid,
    { data, checksum: known }: Pick<NeedleContent, "data" | "checksum">,
    fields: Uint8Array | undefined,
  ): Promise<unknown> {
    assert(fid.volumeId === this.#options.id, "a needle goes to its own volume");
    if (data.length > NEEDLE_DATA_BYTES_MAX) {
      return Promise.reject(
        new VolumeError(
          "needle-too-large",
          `Cannot append needle ${formatFid(fid)}: it has ${data.length} bytes, at most ${NEEDLE_DATA_BYTES_MAX} are allowed`,
        ),
      );
    }
    const { needleId, cookie } = fid;
    // Summed here, while the batch before is being synced.
    const checksum = known ?? this.#hashes.crc32c(data);
    return this.#appender.store({ kind: "append", needleId, cookie, data, checksum, fields });
  }

  #withTtl(needle: NeedleContent): NeedleContent {
    return { ...needle, ttl: this.#files.superblock.ttl };
  }

  /** A volume with a TTL is dropped whole by it. */
  #outlives({ ttl = NO_TTL }: NeedleContent): boolean {
    const lifetimeMs = ttlLengthMs(ttl);
    return this.#ttlMs !== undefined && lifetimeMs !== undefined && lifetimeMs > this.#ttlMs;
  }

  /** Whether a needle of that id stands there: most are new. */
  #mayHold({ needleId }: Fid): boolean {
    if (this.#appender.state === "failed") return false;
    return this.#files.index.find(idHigh(needleId), idLow(needleId)) !== undefined;
  }

  /** Whether this very needle stands there already. What cannot be read is written again. */
  async #holds(fid: Fid, needle: NeedleContent): Promise<boolean> {
    try {
      const stored = await this.readNeedle(fid);
      return stored !== undefined && isSameNeedle(stored, needle);
    } catch (error) {
      if (error instanceof VolumeError && error.code === "needle-corrupt") return false;
      throw error;
    }
  }

  async #saveReadOnly(isReadOnly: boolean): Promise<void> {
    if (this.#info.isReadOnly === isReadOnly) return;
    const base = basePath(this.#options);
    this.#info = await writeVolumeInfo(this.#disk, base, this.#info, {
      isReadOnly,
      takesRemovals: false,
    });
  }

  /** Size of the data of a needle, from the beginning of its record; 0 when that is damaged, which is no reason to keep it. */
  #dataBytes(fid: Fid, location: NeedleLocation): number {
    if (location.bodyBytes === 0) return 0;
    const prefix = Buffer.alloc(PREFIX_BYTES);
    this.#readSync(fid, prefix, location);
    const dataBytes = prefix.readUInt32BE(HEADER_BYTES);
    return dataBytes < location.bodyBytes ? dataBytes : 0;
  }

  #refuseClosed(): void {
    if (this.#closing === undefined) return;
    throw new VolumeError("closed", `Cannot use volume ${this.#options.id}: it is closed`);
  }

  /** Small records are read without leaving the thread; `undefined` for others. */
  #readSmall(fid: Fid, record: Buffer, location: NeedleLocation): number | undefined {
    return record.length <= SYNC_READ_BYTES_MAX ? this.#readSync(fid, record, location) : undefined;
  }

  #readSync(fid: Fid, record: Buffer, location: NeedleLocation): number {
    try {
      return this.#files.data.readAtSync(record, location.offsetBytes);
    } catch (error) {
      throw readFailed(fid, error);
    }
  }

  async #readAsync(fid: Fid, record: Buffer, location: NeedleLocation): Promise<number> {
    try {
      return await this.#shared.during(() => this.#files.data.readAt(record, location.offsetBytes));
    } catch (error) {
      throw readFailed(fid, error);
    }
  }

  #isExpired(
    needle: Pick<Extract<DecodedNeedle, { kind: "needle" }>, "ttlMs" | "dateNs">,
  ): boolean {
    const lifetimeMs = needle.ttlMs ?? this.#ttlMs;
    if (lifetimeMs === undefined) return false;
    return this.#clock.nowMs() > Number(needle.dateNs / 1_000_000n) + lifetimeMs;
  }
}

const NONE_QUARANTINED: ReadonlyMap<NeedleId, number> = new Map();

function refuseShort(fid: Fid, count: number, recordBytes: number): void {
  if (count === recordBytes) return;
  throw corruptNeedle(fid, `the volume file ends after ${count} of ${recordBytes} bytes`);
}

function readFailed(fid: Fid, cause: unknown): VolumeError {
  return new VolumeError("read-failed", `Cannot read needle ${formatFid(fid)}: the disk refused`, {
    cause,
  });
}
