import { DiskError, type Log, assert } from "@kelp/base";
import {
  type CreateVolume,
  type Fid,
  PLAIN_VOLUME,
  type ScannedNeedle,
  type VolumeClient,
  type VolumeId,
  type VolumeState,
  type VolumeStateChange,
  type VolumeStateSource,
  type VolumeStatus,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import {
  FULL_GRACE_BYTES_DEFAULT,
  REMOVE_COUNT_MAX,
  VOLUME_FILE_BYTES_MAX,
  VOLUME_SIZE_BYTES_DEFAULT,
} from "../limits.ts";
import { isCollection, parseDataFileName } from "../volume/file-name.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import { makeDurableFolder } from "./durable-folder.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { Volume, type VolumeOptions } from "../volume/volume.ts";

export interface VolumeStoreOptions extends VolumeDeps {
  /** Made when absent. One store at a time may have it. */
  readonly folder: string;
  /** A volume of this size is full: `VOLUME_SIZE_BYTES_DEFAULT` unless given, at most `VOLUME_FILE_BYTES_MAX`. */
  readonly volumeSizeBytesMax?: number;
  /** How far beyond that a full volume takes needles assigned earlier: `FULL_GRACE_BYTES_DEFAULT` unless given. */
  readonly fullGraceBytes?: number;
}

/**
 * Opens every volume in a folder, repairing what a crash left. A volume that cannot be opened does not keep
 * the others from service: it is listed as `failed`, and every use of it throws what its opening threw.
 */
export async function openVolumeStore(options: VolumeStoreOptions): Promise<VolumeStore> {
  const sizeBytesMax = options.volumeSizeBytesMax ?? VOLUME_SIZE_BYTES_DEFAULT;
  assert(sizeBytesMax > 0, "a volume has room");
  assert(sizeBytesMax <= VOLUME_FILE_BYTES_MAX, "offsets of a volume fit in 4 bytes");
  await makeDurableFolder(options.disk, options.folder);
  const store = new VolumeStore(options);
  await store.openAll();
  return store;
}

/** The volumes of one folder. It owns their files; close it. */
export class VolumeStore implements VolumeClient, VolumeStateSource, AsyncDisposable {
  readonly #options: VolumeStoreOptions;
  readonly #log: Log;
  readonly #volumes = new Map<VolumeId, ServedVolume>();
  readonly #broken = new Map<VolumeId, BrokenVolume>();
  /** Ids of volumes being made. */
  readonly #creating = new Set<VolumeId>();
  readonly #listeners = new Set<(change: VolumeStateChange) => void>();
  #isClosed = false;

  /** For `openVolumeStore`, which opens the volumes. */
  constructor(options: VolumeStoreOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  /** For `openVolumeStore`. */
  async openAll(): Promise<void> {
    for (const name of await this.#options.disk.list(this.#options.folder)) {
      const parsed = parseDataFileName(name);
      if (parsed === undefined) continue;
      await this.#openOne(parsed.id, parsed.collection);
    }
  }

  async append(fid: Fid, data: Uint8Array): Promise<void> {
    await this.#volume(fid.volumeId).append(fid, data);
  }

  async read(fid: Fid, scratch?: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#volume(fid.volumeId).read(fid, scratch);
  }

  /** All are tried, `REMOVE_COUNT_MAX` at a time; throws the first failure at the end. */
  async remove(fids: readonly Fid[]): Promise<void> {
    const failures: unknown[] = [];
    for (let at = 0; at < fids.length; at += REMOVE_COUNT_MAX) {
      const slice = fids.slice(at, at + REMOVE_COUNT_MAX);
      const results = await Promise.allSettled(
        slice.map(async (fid) => this.#volume(fid.volumeId).remove(fid)),
      );
      for (const result of results) {
        if (result.status === "rejected") failures.push(result.reason);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async createVolume(id: VolumeId, options: CreateVolume): Promise<void> {
    const { collection } = options;
    if (this.#isClosed)
      throw new VolumeError("closed", "Cannot make a volume: the store is closed");
    if (!isCollection(collection)) {
      throw new VolumeError(
        "invalid-collection",
        `Cannot make volume ${id}: its collection cannot be part of a file name`,
      );
    }
    if (this.#volumes.has(id) || this.#broken.has(id) || this.#creating.has(id)) {
      throw new VolumeError("volume-exists", `Cannot make volume ${id}: it exists`);
    }
    this.#creating.add(id);
    try {
      const volume = await Volume.create(this.#options, this.#volumeOptions(id, collection));
      if (this.#isClosed) await volume.close();
      this.#volumes.set(id, volume);
    } catch (error) {
      throw creationFailed(id, error);
    } finally {
      this.#creating.delete(id);
    }
    this.#announce({ id, collection, state: "writable" });
  }

  async volumes(): Promise<VolumeStatus[]> {
    const statuses = Array.from(this.#volumes.values(), (volume) => volume.status());
    for (const broken of this.#broken.values()) statuses.push(broken.status);
    return statuses.sort((left, right) => left.id - right.id);
  }

  async *scan(id: VolumeId): AsyncGenerator<ScannedNeedle> {
    yield* this.#volume(id).scan();
  }

  watchStates(listener: (change: VolumeStateChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Refuses further changes, waits for those under way and closes all files. Closing twice is harmless. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const results = await Promise.allSettled(
      Array.from(this.#volumes.values(), (volume) => volume.close()),
    );
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #openOne(id: VolumeId, collection: string): Promise<void> {
    if (this.#volumes.has(id) || this.#broken.has(id)) {
      // Which of the two is right cannot be known, so neither the one open nor this one may be guessed at.
      this.#log.error("two volume files have one id; the second is left alone", {
        volume_id: id,
        collection,
      });
      return;
    }
    try {
      const volume = await Volume.open(this.#options, this.#volumeOptions(id, collection));
      this.#volumes.set(id, volume);
      const { damagedCount } = volume;
      if (damagedCount > 0) {
        this.#log.error("a volume is damaged and should be scanned", {
          volume_id: id,
          collection,
          damaged_count: damagedCount,
        });
      }
    } catch (error) {
      this.#log.error("a volume cannot be opened", { volume_id: id, collection, error });
      this.#broken.set(id, brokenVolume(id, collection, error, this.#options.clock.nowMs()));
    }
  }

  #volumeOptions(id: VolumeId, collection: string): VolumeOptions {
    return {
      id,
      collection,
      folder: this.#options.folder,
      sizeBytesMax: this.#options.volumeSizeBytesMax ?? VOLUME_SIZE_BYTES_DEFAULT,
      graceBytes: this.#options.fullGraceBytes ?? FULL_GRACE_BYTES_DEFAULT,
      onStateChange: (state: VolumeState) => this.#announce({ id, collection, state }),
    };
  }

  #volume(id: VolumeId): ServedVolume {
    const volume = this.#volumes.get(id);
    if (volume !== undefined) return volume;
    const broken = this.#broken.get(id);
    if (broken !== undefined) {
      throw new VolumeError("volume-failed", `Cannot use volume ${id}: it could not be opened`, {
        cause: broken.cause,
      });
    }
    throw new VolumeError("no-such-volume", `Cannot use volume ${id}: it is not here`);
  }

  #announce(change: VolumeStateChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

interface BrokenVolume {
  readonly status: VolumeStatus;
  readonly cause: unknown;
}

function brokenVolume(
  id: VolumeId,
  collection: string,
  cause: unknown,
  createdMs: number,
): BrokenVolume {
  const status: VolumeStatus = {
    ...PLAIN_VOLUME,
    id,
    collection,
    sizeBytes: 0,
    liveCount: 0,
    liveBytes: 0,
    deletedCount: 0,
    deletedBytes: 0,
    needleIdMax: 0n,
    state: "failed",
    createdMs,
    modifiedMs: 0,
  };
  return { status, cause };
}

function creationFailed(id: VolumeId, error: unknown): unknown {
  if (!(error instanceof DiskError)) return error;
  const code = error.isOutOfSpace ? "out-of-space" : "volume-failed";
  return new VolumeError(code, `Cannot make volume ${id}: ${error.code}`, { cause: error });
}
