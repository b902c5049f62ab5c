import type { DiskFile } from "@kelp/base";
import type { Fid } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { indexEntryBytes, isRemoval, readIndexEntry } from "../index/index-entry.ts";
import type { NeedleIndex, NeedleLocation } from "../index/needle-index.ts";
import { SYNC_READ_BYTES_MAX, WALK_BUFFER_BYTES } from "../limits.ts";
import { idHigh, idLow } from "../needle/id-halves.ts";
import { recordBytesOf } from "../needle/layout.ts";
import { checkRecord } from "../needle/stored-needle.ts";
import { SUPERBLOCK_BYTES, VERSION, parseSuperblock } from "../superblock/superblock.ts";
import { type LoadedIndex, loadIndex } from "../volume/load-index.ts";
import {
  type VolumeDeps,
  type VolumeName,
  addressableBytes,
  checkpointSource,
  dataPath,
  indexPath,
} from "../volume/open-files.ts";
import { RunningReads } from "../volume/running-reads.ts";
import { readVolumeInfo } from "../volume/volume-info.ts";
import { basePath } from "../volume/open-files.ts";

interface FollowedFiles {
  readonly data: DiskFile;
  readonly indexFile: DiskFile;
  readonly startBytes: number;
  readonly compactionRevision: number;
  readonly loaded: LoadedIndex;
}

/**
 * A plain volume that another process writes, read from its files: the index is what the index file tells, followed as it grows.
 * What is found is right, since every record is checked against its address; what is not found, or does not fit, may still
 * be there: its owner knows. A removed needle may be found for a while.
 */
export class FollowedVolume {
  readonly compactionRevision: number;
  readonly #deps: VolumeDeps;
  readonly #data: DiskFile;
  readonly #indexFile: DiskFile;
  readonly #startBytes: number;
  readonly #index: NeedleIndex;
  readonly #reads = new RunningReads();
  /** The index file is in the index up to here. */
  #followedBytes: number;
  #following: Promise<boolean> | undefined;
  #isClosed = false;

  /** Throws `unsupported-format` for volumes that are not to be read this way, and `DiskError`. */
  static async open(deps: VolumeDeps, name: VolumeName): Promise<FollowedVolume> {
    await using opened = new AsyncDisposableStack();
    const data = await deps.disk.open(dataPath(name), { access: "read" });
    opened.defer(() => data.close());
    const indexFile = await deps.disk.open(indexPath(name), { access: "read" });
    opened.defer(() => indexFile.close());
    const head = Buffer.alloc(SUPERBLOCK_BYTES);
    const count = await data.readAt(head, 0);
    const superblock = parseSuperblock(head.subarray(0, count), data.path);
    const isPlain = superblock.version === VERSION && superblock.ttl.count === 0;
    if (!isPlain) {
      throw new VolumeError("unsupported-format", `Cannot follow ${data.path}: ask its owner`);
    }
    const info = await readVolumeInfo(deps.disk, basePath(name));
    const startBytes = SUPERBLOCK_BYTES + superblock.extraBytes;
    const loaded = await loadIndex({
      indexFile,
      region: { file: data, startBytes, endBytes: await addressableBytes(data, info) },
      indexOptions: { offsetWidth: info.offsetBytes },
      checkpoint: await checkpointSource(deps, name, data),
    });
    const { compactionRevision } = superblock;
    opened.move();
    return new FollowedVolume(deps, { data, indexFile, startBytes, compactionRevision, loaded });
  }

  private constructor(deps: VolumeDeps, files: FollowedFiles) {
    this.#deps = deps;
    this.#data = files.data;
    this.#indexFile = files.indexFile;
    this.#startBytes = files.startBytes;
    this.compactionRevision = files.compactionRevision;
    this.#index = files.loaded.index;
    this.#followedBytes = files.loaded.trustedBytes;
  }

  /** `undefined`: not found here. Throws `needle-corrupt` and `DiskError` when what is there does not fit. */
  async read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined> {
    let location = this.#find(fid);
    if (location === undefined && (await this.#follow())) location = this.#find(fid);
    if (location === undefined || this.#isClosed) return undefined;
    const { bodyBytes, offsetBytes } = location;
    const recordBytes = recordBytesOf(bodyBytes);
    const record =
      scratch !== undefined && recordBytes <= scratch.length
        ? Buffer.from(scratch.buffer, scratch.byteOffset, recordBytes)
        : Buffer.allocUnsafeSlow(recordBytes);
    const count =
      recordBytes <= SYNC_READ_BYTES_MAX
        ? this.#data.readAtSync(record, offsetBytes)
        : await this.#reads.during(() => this.#data.readAt(record, offsetBytes));
    if (count < recordBytes) return undefined;
    return checkRecord(fid, { record, bodyBytes, version: 3, hash64 }, this.#deps.hashes)?.data;
  }

  /** Waits for the reads under way. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#following;
    await this.#reads.settled();
    await Promise.all([this.#data.close(), this.#indexFile.close()]);
  }

  #find(fid: Fid): NeedleLocation | undefined {
    return this.#index.find(idHigh(fid.needleId), idLow(fid.needleId));
  }

  /** Takes in what the index file has more than before; whether there was something. */
  #follow(): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    this.#following ??= this.#followOnce().finally(() => {
      this.#following = undefined;
    });
    return this.#following;
  }

  async #followOnce(): Promise<boolean> {
    const entryBytes = indexEntryBytes(this.#index.offsetWidth);
    const sizeBytes = await this.#indexFile.sizeBytes();
    const newBytes = sizeBytes - this.#followedBytes;
    const length = Math.min(newBytes - (newBytes % entryBytes), WALK_BUFFER_BYTES);
    if (length < entryBytes) return false;
    // Measured after the index file: what an entry names was durable before the entry was written.
    const endBytes = await this.#data.sizeBytes();
    const whole = length - (length % entryBytes);
    const entries = Buffer.allocUnsafeSlow(whole);
    const count = await this.#indexFile.readAt(entries, this.#followedBytes);
    for (let at = 0; at + entryBytes <= count; at += entryBytes) {
      if (!this.#take(entries, at, endBytes)) break;
      this.#followedBytes += entryBytes;
    }
    return true;
  }

  /** Whether the entry can be true of the volume file. */
  #take(entries: Buffer, at: number, endBytes: number): boolean {
    const entry = readIndexEntry(entries, at, this.#index.offsetWidth);
    const { idHigh: high, idLow: low, offsetBytes, bodyBytes } = entry;
    if ((high | low) === 0) return false;
    const hasRecord = offsetBytes > 0;
    if (hasRecord) {
      const recordEnd = offsetBytes + this.#index.recordBytes(Math.max(0, bodyBytes));
      if (offsetBytes < this.#startBytes || recordEnd > endBytes) return false;
    }
    if (isRemoval(entry)) this.#index.remove(high, low, { hasTombstone: hasRecord });
    else this.#index.put(high, low, offsetBytes, bodyBytes);
    return true;
  }
}
