import { type Clock, type Log, assert } from "@kelp/base";
import {
  type Fid,
  type ScannedNeedle,
  type VolumeState,
  PLAIN_VOLUME,
  type VolumeStatus,
  formatFid,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { NEEDLE_DATA_BYTES_MAX, SYNC_READ_BYTES_MAX } from "../limits.ts";
import {
  type Checksums,
  type DecodedNeedle,
  type NeedleHeader,
  decodeNeedle,
  readHeader,
} from "../needle/decode.ts";
import { idHigh, idLow } from "../needle/id-halves.ts";
import type { NeedleLocation } from "../index/needle-index.ts";
import { recordBytesOf } from "../needle/layout.ts";
import { Appender } from "./appender.ts";
import {
  type VolumeDeps,
  type VolumeFiles,
  type VolumeName,
  createFiles,
  openFiles,
} from "./open-files.ts";
import { scanLive } from "./scan.ts";
import type { ServedVolume } from "./served-volume.ts";
import { SharedFiles } from "./shared-files.ts";
import type { Exchange, VolumeContent } from "./volume-content.ts";

export interface VolumeOptions extends VolumeName {
  readonly sizeBytesMax: number;
  readonly graceBytes: number;
  readonly onStateChange: (state: VolumeState) => void;
}

/** One volume: its two open files, its index in memory and its one writer. */
export class Volume implements ServedVolume {
  readonly #name: VolumeName;
  readonly #log: Log;
  #shared: SharedFiles;
  /** Exchanged, and held by somebody still. */
  #retired: SharedFiles[] = [];
  readonly #appender: Appender;
  readonly #clock: Clock;
  readonly #hashes: Checksums;
  readonly #openedMs: number;
  #closing: Promise<void> | undefined;

  /** An empty volume, its files durable. */
  static async create(deps: VolumeDeps, options: VolumeOptions): Promise<Volume> {
    return new Volume(deps, options, await createFiles(deps, options));
  }

  /** Opens and repairs; see `openFiles`. */
  static async open(deps: VolumeDeps, options: VolumeOptions): Promise<Volume> {
    return new Volume(deps, options, await openFiles(deps, options));
  }

  private constructor(deps: VolumeDeps, options: VolumeOptions, files: VolumeFiles) {
    this.#name = options;
    this.#log = deps.log;
    this.#shared = new SharedFiles(files, deps.log);
    this.#clock = deps.clock;
    this.#hashes = deps.hashes;
    this.#openedMs = deps.clock.nowMs();
    this.#appender = new Appender({
      ...files,
      clock: deps.clock,
      log: deps.log,
      sizeBytesMax: options.sizeBytesMax,
      graceBytes: options.graceBytes,
      onStateChange: options.onStateChange,
    });
  }

  get collection(): string {
    return this.#name.collection;
  }

  get state(): VolumeState {
    return this.#appender.state;
  }

  get #files(): VolumeFiles {
    return this.#shared.files;
  }

  /** What the volume consists of now, for jobs that read or copy all of it. */
  get content(): VolumeContent {
    const { data, index, superblock } = this.#files;
    return { data, index, superblock, endBytes: this.#appender.endBytes };
  }

  /** Damaged places that the opening came upon. */
  get damagedCount(): number {
    return this.#files.damagedCount;
  }

  append(fid: Fid, data: Uint8Array): Promise<void> {
    assert(fid.volumeId === this.#name.id, "a needle goes to its own volume");
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
    const checksum = this.#hashes.crc32c(data);
    return this.#appender.store({ kind: "append", needleId, cookie, data, checksum });
  }

  async remove(fid: Fid): Promise<void> {
    assert(fid.volumeId === this.#name.id, "a needle is removed from its own volume");
    const { needleId, cookie } = fid;
    await this.#appender.store({ kind: "remove", needleId, cookie });
  }

  async read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined> {
    this.#refuseClosed();
    const high = idHigh(fid.needleId);
    const low = idLow(fid.needleId);
    const location = this.#files.index.find(high, low);
    if (location === undefined) return undefined;
    const recordBytes = recordBytesOf(location.bodyBytes);
    const record = recordMemory(recordBytes, scratch);
    const count =
      recordBytes <= SYNC_READ_BYTES_MAX
        ? this.#readSync(fid, record, location)
        : await this.#readAsync(fid, record, location);
    if (count !== recordBytes) {
      throw corrupt(fid, `the volume file ends after ${count} of ${recordBytes} bytes`);
    }
    const header = readHeader(record, 0);
    if (header.idHigh !== high || header.idLow !== low) {
      throw corrupt(fid, "another needle id stands there");
    }
    return this.#open(fid, record, { header, location, hash64 });
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
    const { replicaPlacement, compactionRevision } = this.#files.superblock;
    return {
      ...PLAIN_VOLUME,
      replicaPlacement,
      compactionRevision,
      id: this.#name.id,
      collection: this.#name.collection,
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

  #refuseClosed(): void {
    if (this.#closing === undefined) return;
    throw new VolumeError("closed", `Cannot read volume ${this.#name.id}: it is closed`);
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

  /** Checks a record of the right id against its address; the data is a view of the record. */
  #open(
    fid: Fid,
    record: Buffer,
    found: {
      readonly header: NeedleHeader;
      readonly location: NeedleLocation;
      readonly hash64: bigint | undefined;
    },
  ): Uint8Array | undefined {
    const { header, location, hash64 } = found;
    if (header.bodyBytes !== location.bodyBytes) {
      throw corrupt(fid, `size is ${header.bodyBytes}, expected ${location.bodyBytes}`);
    }
    if (header.cookie !== fid.cookie) return undefined;
    const decoded = decodeNeedle(record, location.bodyBytes, this.#hashes, hash64);
    if (decoded.kind === "corrupt") throw corrupt(fid, decoded.reason);
    return this.#isExpired(decoded) ? undefined : decoded.data;
  }

  #isExpired(needle: Extract<DecodedNeedle, { kind: "needle" }>): boolean {
    if (needle.ttlMs === undefined) return false;
    return this.#clock.nowMs() > Number(needle.dateNs / 1_000_000n) + needle.ttlMs;
  }
}

function recordMemory(recordBytes: number, scratch: Uint8Array | undefined): Buffer {
  return scratch !== undefined && recordBytes <= scratch.length
    ? Buffer.from(scratch.buffer, scratch.byteOffset, recordBytes)
    : Buffer.allocUnsafeSlow(recordBytes);
}

function corrupt(fid: Fid, found: string): VolumeError {
  return new VolumeError("needle-corrupt", `Cannot read needle ${formatFid(fid)}: ${found}`);
}

function readFailed(fid: Fid, cause: unknown): VolumeError {
  return new VolumeError("read-failed", `Cannot read needle ${formatFid(fid)}: the disk refused`, {
    cause,
  });
}
