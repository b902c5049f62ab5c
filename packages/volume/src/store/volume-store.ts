import { DiskError, assert } from "@kelp/base";
import type {
  CreateVolume,
  DiskStatus,
  Fid,
  NeedleContent,
  NeedleStore,
  ReadNeedle,
  ScannedNeedle,
  StoredNeedle,
  VolumeAdmin,
  VolumeClient,
  VolumeId,
  VolumeStateChange,
  VolumeStateSource,
  VolumeStatus,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { REMOVE_COUNT_MAX, VOLUME_FILE_BYTES_MAX, VOLUME_SIZE_BYTES_DEFAULT } from "../limits.ts";
import { isStorableTtl } from "../needle/fields.ts";
import { isCollection } from "../volume/file-name.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { Volume } from "../volume/volume.ts";
import { Catalogue } from "./catalogue.ts";
import type { DiskFolder } from "./disk-folder.ts";
import { DiskSet } from "./disk-set.ts";
import { isVolumeExpired } from "./expired-volume.ts";
import { placeVolume } from "./placement.ts";
import { StateAnnouncer } from "./state-announcer.ts";
import type { VolumeStoreOptions } from "./store-options.ts";
import { UnavailableVolume } from "./unavailable-volume.ts";
import { removeVolumeFiles } from "./volume-files.ts";
import { type VolumeSlot, VolumeTable } from "./volume-table.ts";

/**
 * Opens every volume of the folders, repairing what a crash left. A volume that cannot be opened does not keep the
 * others from service: it is listed as `failed`, and every use of it throws what its opening threw. Those of a folder
 * that cannot be used are `missing`. Throws `folder-in-use`, `folder-used-twice`, `catalogue-unreadable`.
 */
export async function openVolumeStore(options: VolumeStoreOptions): Promise<VolumeStore> {
  const sizeBytesMax = options.volumeSizeBytesMax ?? VOLUME_SIZE_BYTES_DEFAULT;
  assert(sizeBytesMax > 0, "a volume has room");
  assert(sizeBytesMax <= VOLUME_FILE_BYTES_MAX, "offsets of a volume fit in 4 bytes");
  const catalogue = await Catalogue.open(options.disk, options.catalogueFile);
  const store = new VolumeStore(options, catalogue);
  try {
    await store.openAll();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** What this store does of `VolumeAdmin`. */
type Administration = Pick<
  VolumeAdmin,
  "disks" | "deleteVolume" | "deleteCollection" | "setWritable"
>;

/** The volumes of some folders. It owns their files; close it. */
export class VolumeStore
  implements VolumeClient, NeedleStore, Administration, VolumeStateSource, AsyncDisposable
{
  readonly #options: VolumeStoreOptions;
  readonly #table = new VolumeTable();
  readonly #states = new StateAnnouncer();
  readonly #catalogue: Catalogue;
  readonly #folders: DiskSet;
  /** Ids of volumes being made. */
  readonly #creating = new Set<VolumeId>();
  #isClosed = false;

  /** For `openVolumeStore`, which opens the volumes. */
  constructor(options: VolumeStoreOptions, catalogue: Catalogue) {
    this.#options = options;
    this.#catalogue = catalogue;
    const parts = { table: this.#table, catalogue, states: this.#states };
    this.#folders = new DiskSet(options, parts);
  }

  /** For `openVolumeStore`. */
  async openAll(): Promise<void> {
    await this.#folders.openAll();
  }

  async append(fid: Fid, data: Uint8Array): Promise<void> {
    const slot = this.#table.usable(fid.volumeId);
    if (slot.disk.admit(data.length, this.#options.clock) === "unknown") {
      await this.#folders.makeRoom(slot.disk, data.length);
    }
    await slot.volume.append(fid, data);
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

  async writeNeedle(fid: Fid, needle: NeedleContent): Promise<"written" | "unchanged"> {
    const slot = this.#table.usable(fid.volumeId);
    if (slot.disk.admit(needle.data.length, this.#options.clock) === "unknown") {
      await this.#folders.makeRoom(slot.disk, needle.data.length);
    }
    return slot.volume.writeNeedle(fid, needle);
  }

  async readNeedle(fid: Fid, options?: ReadNeedle): Promise<StoredNeedle | undefined> {
    return this.#table.get(fid.volumeId).readNeedle(fid, options);
  }

  async removeNeedle(fid: Fid): Promise<number | undefined> {
    return this.#table.get(fid.volumeId).removeNeedle(fid);
  }

  /**
   * On the disk that fits best; another is tried when that one refuses. Throws `out-of-space` when no disk has room for
   * a volume, or may have another.
   */
  async createVolume(id: VolumeId, options: CreateVolume): Promise<void> {
    const { collection } = options;
    this.#refuseClosed(`make volume ${id}`);
    refuseBadTraits(id, options);
    // A deleted volume whose disk is gone has its id until its files can be removed.
    const isTaken = this.#table.has(id) || this.#catalogue.volume(id) !== undefined;
    if (isTaken || this.#creating.has(id)) {
      throw new VolumeError("volume-exists", `Cannot make volume ${id}: it exists`);
    }
    this.#creating.add(id);
    try {
      await this.#createSomewhere(id, options);
    } finally {
      this.#creating.delete(id);
    }
    this.#states.tell({ id, collection, state: "writable" });
  }

  async volumes(): Promise<VolumeStatus[]> {
    return this.#table
      .slots()
      .map(([, slot]) => this.#statusOf(slot))
      .sort((left, right) => left.id - right.id);
  }

  async *scan(id: VolumeId): AsyncGenerator<ScannedNeedle> {
    yield* this.#table.get(id).scan();
  }

  watchStates(listener: (change: VolumeStateChange) => void): Disposable {
    return this.#states.watch(listener);
  }

  async disks(): Promise<DiskStatus[]> {
    const { disks } = this.#folders;
    for (const disk of disks) await this.#folders.measure(disk);
    return Promise.all(disks.map((disk) => disk.status(this.#options, this.#countOn(disk))));
  }

  /** A volume whose disk is gone is forgotten at once, and its files are removed when the disk comes back. */
  async deleteVolume(id: VolumeId): Promise<void> {
    this.#refuseClosed(`delete volume ${id}`);
    await this.#table.withJobOnAny(id, "delete", (slot) => this.#drop(id, slot));
  }

  async deleteCollection(collection: string): Promise<number> {
    const chosen = this.#table.slots().filter(([, slot]) => slot.volume.collection === collection);
    for (const [id] of chosen) await this.deleteVolume(id);
    return chosen.length;
  }

  async setWritable(id: VolumeId, state: "writable" | "read-only"): Promise<void> {
    this.#refuseClosed(`change volume ${id}`);
    await this.#table.withJob(id, "mark", ({ volume }) => volume.setWritable(state));
  }

  /**
   * Looks after the folders: volumes of one that stopped answering become `missing`, those of one that answers again
   * are served. To be called now and then.
   */
  async checkDisks(): Promise<void> {
    this.#refuseClosed("check the disks");
    await this.#folders.checkAll();
  }

  /** Deletes the volumes in which everything has outlived its TTL; returns which. To be called now and then. */
  async dropExpired(): Promise<readonly VolumeId[]> {
    this.#refuseClosed("drop expired volumes");
    const dropped: VolumeId[] = [];
    for (const [id, slot] of this.#table.slots()) {
      const isBusy = slot.job !== undefined || slot.volume instanceof UnavailableVolume;
      if (isBusy || !this.#isExpired(slot.volume)) continue;
      const isDropped = await this.#table.withJob(id, "expire", (its) => this.#expire(id, its));
      if (isDropped) dropped.push(id);
    }
    return dropped;
  }

  /** Refuses further changes, waits for those under way and closes all files. Closing twice is harmless. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const results = await Promise.allSettled(
      this.#table.slots().map(([, slot]) => slot.volume.close()),
    );
    this.#folders.release();
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #createSomewhere(id: VolumeId, options: CreateVolume): Promise<void> {
    const places = [];
    for (const disk of this.#folders.disks) {
      const availableBytes = await this.#folders.measure(disk);
      places.push({ disk, availableBytes, volumeCount: this.#countOn(disk) });
    }
    const placement = placeVolume(places, options.diskType ?? "");
    if (placement.kind === "none") {
      throw new VolumeError("out-of-space", `Cannot make volume ${id}: ${placement.reason}`);
    }
    let refusal: unknown;
    for (const disk of placement.disks) {
      try {
        return await this.#createOn(disk, id, options);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        this.#options.log.warn("a disk refused a new volume", { folder: disk.folder, error });
        if (!error.isOutOfSpace) disk.failedVolumeCount++;
        refusal ??= error;
      }
    }
    throw creationFailed(id, refusal);
  }

  async #createOn(disk: DiskFolder, id: VolumeId, options: CreateVolume): Promise<void> {
    const { collection } = options;
    const volumeOptions = this.#folders.volumeOptions(disk, id, collection);
    const volume = await Volume.create(this.#options, volumeOptions, options);
    this.#catalogue.set({ id, collection, folder: disk.uuid, isDeleted: false });
    try {
      await this.#catalogue.save();
    } catch (error) {
      await volume.close();
      await removeVolumeFiles(this.#options.disk, disk.folder, { collection, id });
      this.#catalogue.forget(id);
      // Not a refusal of this disk: the next one would not do better.
      throw creationFailed(id, error);
    }
    if (this.#isClosed) await volume.close();
    this.#table.add(id, { volume, disk });
  }

  /** What is under way is finished; what comes later finds no volume. After a crash the deletion goes on. */
  async #drop(id: VolumeId, slot: VolumeSlot): Promise<void> {
    const { volume } = slot;
    const { collection } = volume;
    const known = this.#catalogue.volume(id);
    if (known !== undefined) {
      this.#catalogue.set({ ...known, isDeleted: true });
      await this.#catalogue.save();
    }
    this.#table.drop(id);
    this.#states.tell({ id, collection, state: "deleted" });
    await volume.close();
    await this.#folders.finishDeletion({ id, collection });
    await this.#catalogue.save();
  }

  #isExpired(volume: ServedVolume): boolean {
    const { ttl, modifiedMs } = volume.status();
    const newestNeedleMs = volume.newestNeedleMs ?? modifiedMs;
    return isVolumeExpired({ ttl, newestNeedleMs }, this.#options.clock.nowMs());
  }

  /** Sealed first, so that no needle comes between looking and dropping. */
  async #expire(id: VolumeId, slot: VolumeSlot): Promise<boolean> {
    const { volume } = slot;
    const wasWritable = volume.state !== "read-only";
    if (volume.state !== "failed") await volume.setWritable("read-only");
    if (!this.#isExpired(volume)) {
      if (wasWritable) await volume.setWritable("writable");
      return false;
    }
    await this.#drop(id, slot);
    return true;
  }

  #statusOf(slot: VolumeSlot): VolumeStatus {
    const status = slot.volume.status();
    return { ...status, state: this.#folders.stateOn(slot.disk, status.state) };
  }

  #countOn(disk: DiskFolder): number {
    return this.#table.slots().filter(([, slot]) => slot.disk === disk).length;
  }

  #refuseClosed(action: string): void {
    if (this.#isClosed) {
      throw new VolumeError("closed", `Cannot ${action}: the store is closed`);
    }
  }
}

function refuseBadTraits(id: VolumeId, options: CreateVolume): void {
  if (!isCollection(options.collection)) {
    throw new VolumeError(
      "invalid-collection",
      `Cannot make volume ${id}: its collection cannot be part of a file name`,
    );
  }
  const { replicaPlacement = 0, ttl } = options;
  const isPlacement = Number.isInteger(replicaPlacement) && replicaPlacement >= 0;
  if (!isPlacement || replicaPlacement > 255 || (ttl !== undefined && !isStorableTtl(ttl))) {
    throw new VolumeError(
      "invalid-traits",
      `Cannot make volume ${id}: its replica placement or TTL cannot be stored`,
    );
  }
}

function creationFailed(id: VolumeId, error: unknown): unknown {
  if (!(error instanceof DiskError)) return error;
  const code = error.isOutOfSpace ? "out-of-space" : "volume-failed";
  return new VolumeError(code, `Cannot make volume ${id}: ${error.code}`, { cause: error });
}
