import { assert } from "@kelp/base";
import {
  type CreateVolume,
  type Fid,
  NO_TTL,
  PLAIN_VOLUME,
  type ScannedNeedle,
  type VolumeClient,
  type VolumeId,
  type VolumeStateChange,
  type VolumeStateSource,
  type VolumeStatus,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { TOMBSTONE_BYTES, bodyBytesOf, recordBytesOf } from "../needle/layout.ts";
import { SUPERBLOCK_BYTES } from "../superblock/superblock.ts";

/** Volumes in memory with the behaviour of the real store, for tests of rooms that store needles. */
export class MemoryVolumes implements VolumeClient, VolumeStateSource {
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

interface StoredNeedle {
  readonly fid: Fid;
  readonly data: Uint8Array;
}

class MemoryVolume {
  readonly collection: string;
  state: VolumeStatus["state"] = "writable";
  readonly #id: VolumeId;
  readonly #options: CreateVolume;
  /** In order of the append. */
  readonly #needles = new Map<bigint, StoredNeedle>();
  #deletedCount = 0;
  #deletedBytes = 0;
  #needleIdMax = 0n;

  constructor(id: VolumeId, options: CreateVolume) {
    this.#id = id;
    this.#options = options;
    this.collection = options.collection;
  }

  append(fid: Fid, data: Uint8Array): void {
    this.#checkWritable();
    const earlier = this.#needles.get(fid.needleId);
    if (earlier !== undefined && earlier.fid.cookie !== fid.cookie) {
      throw new VolumeError("cookie-mismatch", "Cannot append: the id exists with another cookie");
    }
    if (earlier !== undefined) this.#drop(earlier);
    this.#needles.set(fid.needleId, { fid, data: Uint8Array.from(data) });
    if (fid.needleId > this.#needleIdMax) this.#needleIdMax = fid.needleId;
  }

  read(fid: Fid): Uint8Array | undefined {
    const needle = this.#needles.get(fid.needleId);
    return needle?.fid.cookie === fid.cookie ? Uint8Array.from(needle.data) : undefined;
  }

  remove(fid: Fid): void {
    this.#checkWritable();
    const needle = this.#needles.get(fid.needleId);
    if (needle?.fid.cookie !== fid.cookie) return;
    this.#drop(needle);
    this.#deletedBytes += TOMBSTONE_BYTES;
  }

  *scan(): Generator<ScannedNeedle> {
    for (const { fid, data } of this.#needles.values()) {
      const { needleId, cookie } = fid;
      yield { kind: "live", needleId, cookie, sizeBytes: data.length };
    }
  }

  status(): VolumeStatus {
    let liveBytes = 0;
    for (const { data } of this.#needles.values()) liveBytes += recordBytes(data);
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

  #drop(needle: StoredNeedle): void {
    const isDropped = this.#needles.delete(needle.fid.needleId);
    assert(isDropped, "a needle is dropped once");
    this.#deletedCount++;
    this.#deletedBytes += recordBytes(needle.data);
  }
}

function recordBytes(data: Uint8Array): number {
  return recordBytesOf(bodyBytesOf(data.length));
}
