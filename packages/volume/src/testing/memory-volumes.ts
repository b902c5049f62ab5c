import { assert } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import {
  type CreateVolume,
  type Fid,
  NO_TTL,
  type NeedleContent,
  type NeedleStore,
  PLAIN_VOLUME,
  type ReadNeedle,
  type ScannedNeedle,
  type StoredNeedle,
  type VolumeClient,
  type VolumeId,
  type VolumeStateChange,
  type VolumeStateSource,
  type VolumeStatus,
  formatFid,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { needleBodyBytes } from "../needle/encode.ts";
import { decodeFields, encodeFields } from "../needle/fields.ts";
import { TOMBSTONE_BYTES, recordBytesOf } from "../needle/layout.ts";
import { SUPERBLOCK_BYTES } from "../superblock/superblock.ts";
import { isSameNeedle } from "../volume/same-needle.ts";

/**
 * Volumes in memory with the behaviour of the real store, for tests of rooms that store needles. They know no time:
 * nothing expires, and every needle was appended at 1 ns.
 */
export class MemoryVolumes implements VolumeClient, NeedleStore, VolumeStateSource {
  readonly #volumes = new Map<VolumeId, MemoryVolume>();
  readonly #listeners = new Set<(change: VolumeStateChange) => void>();

  async append(fid: Fid, data: Uint8Array): Promise<void> {
    this.#volume(fid.volumeId).append(fid, data);
  }

  async read(fid: Fid): Promise<Uint8Array | undefined> {
    return this.#volume(fid.volumeId).read(fid);
  }

  async remove(fids: readonly Fid[]): Promise<void> {
    for (const fid of fids) this.#volume(fid.volumeId).remove(fid);
  }

  async writeNeedle(fid: Fid, needle: NeedleContent): Promise<"written" | "unchanged"> {
    return this.#volume(fid.volumeId).write(fid, needle);
  }

  async readNeedle(fid: Fid, options?: ReadNeedle): Promise<StoredNeedle | undefined> {
    return this.#volume(fid.volumeId).readNeedle(fid, options);
  }

  async removeNeedle(fid: Fid): Promise<number | undefined> {
    return this.#volume(fid.volumeId).remove(fid);
  }

  collectionOf(id: VolumeId): string | undefined {
    return this.#volumes.get(id)?.collection;
  }

  async createVolume(id: VolumeId, options: CreateVolume): Promise<void> {
    if (this.#volumes.has(id)) {
      throw new VolumeError("volume-exists", `Cannot make volume ${id}: it exists`);
    }
    this.#volumes.set(id, new MemoryVolume(id, options));
    this.setState(id, "writable");
  }

  async volumes(): Promise<VolumeStatus[]> {
    return Array.from(this.#volumes.values(), (volume) => volume.status()).sort(
      (left, right) => left.id - right.id,
    );
  }

  async *scan(id: VolumeId): AsyncGenerator<ScannedNeedle> {
    yield* this.#volume(id).scan();
  }

  watchStates(listener: (change: VolumeStateChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Lets a volume fill or fail at the test's will. */
  setState(id: VolumeId, state: VolumeStatus["state"]): void {
    const volume = this.#volume(id);
    volume.state = state;
    for (const listener of this.#listeners) listener({ id, collection: volume.collection, state });
  }

  deleteVolume(id: VolumeId): void {
    this.setState(id, "deleted");
    this.#volumes.delete(id);
  }

  #volume(id: VolumeId): MemoryVolume {
    const volume = this.#volumes.get(id);
    if (volume === undefined) {
      throw new VolumeError("no-such-volume", `Cannot use volume ${id}: it is not here`);
    }
    return volume;
  }
}

interface KeptNeedle {
  readonly fid: Fid;
  readonly needle: StoredNeedle;
  readonly recordBytes: number;
}

class MemoryVolume {
  readonly collection: string;
  state: VolumeStatus["state"] = "writable";
  readonly #id: VolumeId;
  readonly #options: CreateVolume;
  /** In order of the append. */
  readonly #needles = new Map<bigint, KeptNeedle>();
  readonly #removed = new Map<bigint, KeptNeedle>();
  #deletedCount = 0;
  #deletedBytes = 0;
  #needleIdMax = 0n;

  constructor(id: VolumeId, options: CreateVolume) {
    this.#id = id;
    this.#options = options;
    this.collection = options.collection;
  }

  append(fid: Fid, data: Uint8Array): void {
    this.#put(fid, { data });
  }

  write(fid: Fid, content: NeedleContent): "written" | "unchanged" {
    const earlier = this.readNeedle(fid);
    const isSame = earlier !== undefined && isSameNeedle(earlier, content);
    if (isSame && content.ttl === undefined) return "unchanged";
    this.#put(fid, content);
    return "written";
  }

  read(fid: Fid): Uint8Array | undefined {
    const needle = this.readNeedle(fid);
    return needle === undefined ? undefined : Uint8Array.from(needle.data);
  }

  readNeedle(fid: Fid, options: ReadNeedle = {}): StoredNeedle | undefined {
    const live = this.#needles.get(fid.needleId);
    const removed = options.removed === "read" ? this.#removed.get(fid.needleId) : undefined;
    const kept = live ?? removed;
    return kept?.fid.cookie === fid.cookie ? kept.needle : undefined;
  }

  remove(fid: Fid): number | undefined {
    this.#checkWritable();
    const kept = this.#needles.get(fid.needleId);
    if (kept?.fid.cookie !== fid.cookie) return undefined;
    this.#drop(kept);
    this.#removed.set(fid.needleId, kept);
    this.#deletedBytes += TOMBSTONE_BYTES;
    return kept.needle.data.length;
  }

  *scan(): Generator<ScannedNeedle> {
    for (const { fid, needle } of this.#needles.values()) {
      const { needleId, cookie } = fid;
      const { data, appendedNs } = needle;
      yield { kind: "live", needleId, cookie, sizeBytes: data.length, appendedNs };
    }
  }

  status(): VolumeStatus {
    let liveBytes = 0;
    for (const kept of this.#needles.values()) liveBytes += kept.recordBytes;
    return {
      ...PLAIN_VOLUME,
      replicaPlacement: this.#options.replicaPlacement ?? 0,
      ttl: this.#options.ttl ?? NO_TTL,
      diskType: this.#options.diskType ?? "",
      id: this.#id,
      collection: this.collection,
      sizeBytes: SUPERBLOCK_BYTES + liveBytes + this.#deletedBytes,
      liveCount: this.#needles.size,
      liveBytes,
      deletedCount: this.#deletedCount,
      deletedBytes: this.#deletedBytes,
      needleIdMax: this.#needleIdMax,
      state: this.state,
      createdMs: 0,
      modifiedMs: 0,
    };
  }

  #checkWritable(): void {
    if (this.state === "failed") {
      throw new VolumeError("volume-failed", `Cannot change volume ${this.#id}: it failed`);
    }
    if (this.state === "read-only") {
      throw new VolumeError("read-only", `Cannot change volume ${this.#id}: it is read-only`);
    }
  }

  #put(fid: Fid, content: NeedleContent): void {
    const fields = encodeFields(content);
    if (typeof fields === "string") {
      throw new VolumeError("invalid-needle", `Cannot write needle ${formatFid(fid)}: ${fields}`);
    }
    this.#checkWritable();
    const earlier = this.#needles.get(fid.needleId);
    if (earlier !== undefined && earlier.fid.cookie !== fid.cookie) {
      throw new VolumeError("cookie-mismatch", "Cannot append: the id exists with another cookie");
    }
    if (earlier !== undefined) this.#drop(earlier);
    const data = Uint8Array.from(content.data);
    // What it reads as is what would stand in the file.
    const kept = fields === undefined ? {} : decodeFields(Buffer.from(fields), 0);
    assert(typeof kept !== "string", "fields that were encoded can be decoded");
    this.#needles.set(fid.needleId, {
      fid,
      needle: { ...kept, data, checksum: systemHashes.crc32c(data), appendedNs: 1n },
      recordBytes: recordBytesOf(needleBodyBytes({ data, fields })),
    });
    if (fid.needleId > this.#needleIdMax) this.#needleIdMax = fid.needleId;
  }

  #drop(kept: KeptNeedle): void {
    const isDropped = this.#needles.delete(kept.fid.needleId);
    assert(isDropped, "a needle is dropped once");
    this.#deletedCount++;
    this.#deletedBytes += kept.recordBytes;
  }
}
