import { DiskError, assert } from "@kelp/base";
import {
  type CreateVolume,
  type DiskStatus,
  type Fid,
  type JobOptions,
  type ScannedNeedle,
  type VacuumReport,
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
import { vacuumVolume } from "../vacuum/vacuum-volume.ts";
import { type VolumeDeps, basePath } from "../volume/open-files.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { Volume, type VolumeOptions } from "../volume/volume.ts";
import { DiskFolder, type VolumeFolder } from "./disk-folder.ts";
import { makeDurableFolder } from "./durable-folder.ts";
import { UnavailableVolume } from "./unavailable-volume.ts";
import { removeVolumeFiles } from "./volume-files.ts";
import { type VolumeSlot, VolumeTable } from "./volume-table.ts";

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
  const store = new VolumeStore(options);
  await store.openAll();
  return store;
}

/** The volumes of one folder. It owns their files; close it. */
export class VolumeStore implements VolumeClient, VolumeStateSource, AsyncDisposable {
  readonly #options: VolumeStoreOptions;
  readonly #disks: readonly DiskFolder[];
  readonly #table = new VolumeTable();
  /** Ids of volumes being made. */
  readonly #creating = new Set<VolumeId>();
  readonly #listeners = new Set<(change: VolumeStateChange) => void>();
  /** Aborted when the store closes: jobs end, volumes are closed after them. */
  readonly #stopping = new AbortController();
  readonly #jobs = new Set<Promise<unknown>>();
  #isClosed = false;

  /** For `openVolumeStore`, which opens the volumes. */
  constructor(options: VolumeStoreOptions) {
    this.#options = options;
    const folders: readonly VolumeFolder[] = [{ path: options.folder }];
    this.#disks = folders.map((folder, index) => new DiskFolder(index, folder));
  }

  /** For `openVolumeStore`. */
  async openAll(): Promise<void> {
    for (const disk of this.#disks) {
      await makeDurableFolder(this.#options.disk, disk.folder);
      for (const name of await this.#options.disk.list(disk.folder)) {
        const parsed = parseDataFileName(name);
        if (parsed === undefined) continue;
        await this.#openOne(disk, parsed.id, parsed.collection);
      }
    }
  }

  async append(fid: Fid, data: Uint8Array): Promise<void> {
    await this.#table.get(fid.volumeId).append(fid, data);
  }

  async read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined> {
    return this.#table.get(fid.volumeId).read(fid, scratch, hash64);
  }

  /** All are tried, `REMOVE_COUNT_MAX` at a time; throws the first failure at the end. */
  async remove(fids: readonly Fid[]): Promise<void> {
    const failures: unknown[] = [];
    for (let at = 0; at < fids.length; at += REMOVE_COUNT_MAX) {
      const slice = fids.slice(at, at + REMOVE_COUNT_MAX);
      const results = await Promise.allSettled(
        slice.map(async (fid) => this.#table.get(fid.volumeId).remove(fid)),
      );
      for (const result of results) {
        if (result.status === "rejected") failures.push(result.reason);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async createVolume(id: VolumeId, options: CreateVolume): Promise<void> {
    const { collection } = options;
    this.#refuseClosed(`make volume ${id}`);
    if (!isCollection(collection)) {
      throw new VolumeError(
        "invalid-collection",
        `Cannot make volume ${id}: its collection cannot be part of a file name`,
      );
    }
    if (this.#table.has(id) || this.#creating.has(id)) {
      throw new VolumeError("volume-exists", `Cannot make volume ${id}: it exists`);
    }
    this.#creating.add(id);
    try {
      const [disk] = this.#disks;
      assert(disk !== undefined, "a store has a folder");
      const volume = await Volume.create(this.#options, this.#volumeOptions(disk, id, collection));
      if (this.#isClosed) await volume.close();
      this.#table.add(id, { volume, disk });
    } catch (error) {
      throw creationFailed(id, error);
    } finally {
      this.#creating.delete(id);
    }
    this.#announce({ id, collection, state: "writable" });
  }

  async volumes(): Promise<VolumeStatus[]> {
    return this.#table
      .slots()
      .map(([, slot]) => slot.volume.status())
      .sort((left, right) => left.id - right.id);
  }

  async *scan(id: VolumeId): AsyncGenerator<ScannedNeedle> {
    yield* this.#table.get(id).scan();
  }

  watchStates(listener: (change: VolumeStateChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** See `VolumeAdmin`, here and below. */
  disks(): Promise<DiskStatus[]> {
    const slots = this.#table.slots();
    return Promise.all(
      this.#disks.map((disk) => {
        const count = slots.filter(([, slot]) => slot.disk === disk).length;
        return disk.status(this.#options.disk, count);
      }),
    );
  }

  async deleteVolume(id: VolumeId): Promise<void> {
    this.#refuseClosed(`delete volume ${id}`);
    await this.#table.withJobOnAny(id, "delete", ({ volume }) => this.#drop(id, volume));
  }

  async deleteCollection(collection: string): Promise<number> {
    const chosen = this.#table.slots().filter(([, slot]) => slot.volume.collection === collection);
    for (const [id] of chosen) await this.deleteVolume(id);
    return chosen.length;
  }

  async vacuum(id: VolumeId, options: JobOptions = {}): Promise<VacuumReport> {
    return this.#job(id, "vacuum", options, async ({ volume, disk }, signal) => {
      if (!(volume instanceof Volume)) throw notPlain("vacuum", id);
      const base = basePath({ folder: disk.folder, collection: volume.collection, id });
      const place = { folder: disk.folder, base };
      const report = await vacuumVolume(volume, place, this.#options, { ...options, signal });
      this.#options.log.info("a volume was vacuumed", {
        volume_id: id,
        bytes_before: report.bytesBefore,
        bytes_after: report.bytesAfter,
      });
      return report;
    });
  }

  /** Refuses further changes, waits for those under way and closes all files. Closing twice is harmless. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopping.abort(new VolumeError("closed", "The job is ended: the store is closed"));
    const idle = this.#table.slots().filter(([, slot]) => slot.job === undefined);
    const closings = idle.map(([, slot]) => slot.volume.close());
    // What a job works on is closed after it, and may be another volume by then.
    await Promise.allSettled([...this.#jobs, ...closings]);
    const results = await Promise.allSettled(
      this.#table.slots().map(([, slot]) => slot.volume.close()),
    );
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A job on one volume, which ends early when its caller or the store says so. */
  async #job<Value>(
    id: VolumeId,
    name: string,
    { signal }: JobOptions,
    work: (slot: VolumeSlot, signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    this.#refuseClosed(`${name} volume ${id}`);
    const ended = this.#stopping.signal;
    const either = signal === undefined ? ended : AbortSignal.any([signal, ended]);
    const job = this.#table.withJob(id, name, (slot) => work(slot, either));
    this.#jobs.add(job);
    try {
      return await job;
    } finally {
      this.#jobs.delete(job);
    }
  }

  /** What is under way is finished; what comes later finds no volume. */
  async #drop(id: VolumeId, volume: ServedVolume): Promise<void> {
    const { collection } = volume;
    this.#table.drop(id);
    this.#announce({ id, collection, state: "deleted" });
    await volume.close();
    for (const disk of this.#disks) {
      await removeVolumeFiles(this.#options.disk, disk.folder, { collection, id });
    }
  }

  async #openOne(disk: DiskFolder, id: VolumeId, collection: string): Promise<void> {
    const { log, clock } = this.#options;
    if (this.#table.has(id)) {
      // Which of the two is right cannot be known, so this one is not touched.
      log.error("two volume files have one id; the second is left alone", {
        volume_id: id,
        collection,
      });
      return;
    }
    try {
      const volume = await Volume.open(this.#options, this.#volumeOptions(disk, id, collection));
      this.#table.add(id, { volume, disk });
      const { damagedCount } = volume;
      if (damagedCount > 0) {
        log.error("a volume is damaged and should be scanned", {
          volume_id: id,
          collection,
          damaged_count: damagedCount,
        });
      }
    } catch (error) {
      log.error("a volume cannot be opened", { volume_id: id, collection, error });
      const volume = new UnavailableVolume("failed", {
        id,
        collection,
        disk: disk.index,
        diskType: disk.diskType,
        openedMs: clock.nowMs(),
        cause: error,
      });
      this.#table.add(id, { volume, disk });
    }
  }

  #volumeOptions(disk: DiskFolder, id: VolumeId, collection: string): VolumeOptions {
    return {
      id,
      collection,
      folder: disk.folder,
      sizeBytesMax: this.#options.volumeSizeBytesMax ?? VOLUME_SIZE_BYTES_DEFAULT,
      graceBytes: this.#options.fullGraceBytes ?? FULL_GRACE_BYTES_DEFAULT,
      onStateChange: (state: VolumeState) => this.#announce({ id, collection, state }),
    };
  }

  #refuseClosed(action: string): void {
    if (this.#isClosed) {
      throw new VolumeError("closed", `Cannot ${action}: the store is closed`);
    }
  }

  #announce(change: VolumeStateChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function notPlain(action: string, id: VolumeId): VolumeError {
  return new VolumeError(
    "read-only",
    `Cannot ${action} volume ${id}: its content is not in a volume file here`,
  );
}

function creationFailed(id: VolumeId, error: unknown): unknown {
  if (!(error instanceof DiskError)) return error;
  const code = error.isOutOfSpace ? "out-of-space" : "volume-failed";
  return new VolumeError(code, `Cannot make volume ${id}: ${error.code}`, { cause: error });
}
