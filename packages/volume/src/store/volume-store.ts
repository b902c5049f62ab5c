import { assert } from "@kelp/base";
import type {
  CreateVolume,
  Damage,
  DiskStatus,
  ErasureShape,
  Fid,
  FoundDamage,
  JobOptions,
  NeedleContent,
  NeedleStore,
  ReadNeedle,
  ScannedNeedle,
  ScrubReport,
  StoredNeedle,
  VacuumReport,
  VolumeAdmin,
  VolumeClient,
  VolumeFigures,
  VolumeId,
  VolumeStateChange,
  VolumeStateSource,
  VolumeStatus,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { REMOVE_COUNT_MAX, VOLUME_FILE_BYTES_MAX, VOLUME_SIZE_BYTES_DEFAULT } from "../limits.ts";
import type { FollowPlace } from "../lending/lending-calls.ts";
import { type Borrower, LENT_JOB, Lending } from "../lending/lending.ts";
import { LentVolume } from "../lending/lent-volume.ts";
import { Volume } from "../volume/volume.ts";
import { Catalogue } from "./catalogue.ts";
import { DiskFolder } from "./disk-folder.ts";
import { DiskSet } from "./disk-set.ts";
import { DiskSpace } from "./disk-space.ts";
import { Maintenance, type ScrubRound, type VacuumRound } from "./maintenance.ts";
import { StateAnnouncer } from "./state-announcer.ts";
import { type VolumeStoreOptions, foldersOf } from "./store-options.ts";
import { VolumeCreation } from "./volume-creation.ts";
import { VolumeDeletion } from "./volume-deletion.ts";
import { VolumeForms } from "./volume-forms.ts";
import { type JobWork, VolumeJobs } from "./volume-jobs.ts";
import { VolumeOpening } from "./volume-opening.ts";
import { VolumeScans } from "./volume-scans.ts";
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

/** The volumes of some folders. It owns their files; close it. */
export class VolumeStore
  implements VolumeClient, NeedleStore, VolumeAdmin, VolumeStateSource, AsyncDisposable
{
  readonly #options: VolumeStoreOptions;
  readonly #table = new VolumeTable();
  readonly #states = new StateAnnouncer();
  readonly #folders: DiskSet;
  readonly #space: DiskSpace;
  readonly #opening: VolumeOpening;
  readonly #creation: VolumeCreation;
  readonly #maintenance: Maintenance;
  readonly #forms: VolumeForms;
  readonly #lending: Lending;
  readonly #scans: VolumeScans;
  readonly #deletion: VolumeDeletion;
  readonly #jobs = new VolumeJobs(this.#table);
  readonly #refusals = { changesRefusedCount: 0, readsRefusedCount: 0 };
  #isClosed = false;

  /** For `openVolumeStore`, which opens the volumes. */
  constructor(options: VolumeStoreOptions, catalogue: Catalogue) {
    this.#options = options;
    this.#maintenance = new Maintenance({
      ...options,
      job: (id, name, jobOptions, work) => this.#job(id, name, jobOptions, work),
      reopen: async (id, { volume, disk }) => {
        const { collection } = volume;
        const next = await this.#opening.openPlain({ id, collection, disk });
        await this.#table.exchange(id, next);
        this.#space.tell(id, next);
      },
      volumes: () => this.volumes(),
      disks: () => this.disks(),
      find: (id) => this.#table.find(id),
      scrubShards: (id, slot, jobOptions) => this.#forms.scrub(id, slot, jobOptions),
    });
    const disks = foldersOf(options).map((folder, index) => new DiskFolder(index, folder));
    this.#forms = new VolumeForms({
      ...options,
      table: this.#table,
      disks,
      remotes: options.remotes ?? new Map(),
      openPlain: (place) => this.#opening.openPlain(place),
      announce: (id, volume) => this.#space.tell(id, volume),
      damaged: (id) => this.#maintenance.damagedIn(id),
      settleDamage: (id, isThere) => this.#maintenance.settleDamage(id, isThere),
      job: (id, name, jobOptions, work) => this.#job(id, name, jobOptions, work),
    });
    const parts = {
      table: this.#table,
      catalogue,
      states: this.#states,
      maintenance: this.#maintenance,
      forms: this.#forms,
      disks,
    };
    const space = new DiskSpace(options, parts);
    const opening = new VolumeOpening(options, { ...parts, space });
    this.#space = space;
    this.#opening = opening;
    this.#folders = new DiskSet(options, { ...parts, space, opening });
    this.#creation = new VolumeCreation(options, {
      ...parts,
      space,
      opening,
      isClosed: () => this.#isClosed,
    });
    this.#scans = new VolumeScans(options, (id) => this.#table.get(id));
    this.#lending = new Lending({
      table: this.#table,
      log: options.log,
      job: (id, work) => this.#jobs.run(id, LENT_JOB, {}, work),
      volumeOptions: (disk, id, collection) => this.#opening.volumeOptions(disk, id, collection),
      reopen: (disk, id, collection) => this.#opening.openOrFail(disk, id, collection),
      announce: (id, volume) => this.#space.tell(id, volume),
    });
    this.#deletion = new VolumeDeletion({
      ...parts,
      folders: this.#folders,
      clock: options.clock,
    });
  }

  /** For `openVolumeStore`. */
  async openAll(): Promise<void> {
    await this.#folders.openAll();
  }

  async append(fid: Fid, data: Uint8Array): Promise<void> {
    try {
      const slot = this.#table.usable(fid.volumeId);
      if (slot.disk.admit(data.length, this.#options.clock) === "unknown") {
        await this.#space.makeRoom(slot.disk, data.length);
      }
      await slot.volume.append(fid, data);
    } catch (error) {
      this.#refusals.changesRefusedCount++;
      throw error;
    }
  }

  async read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined> {
    try {
      return await this.#table.get(fid.volumeId).read(fid, scratch, hash64);
    } catch (error) {
      this.#refusals.readsRefusedCount++;
      throw error;
    }
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
    this.#refusals.changesRefusedCount += failures.length;
    if (failures.length > 0) throw failures[0];
  }

  async writeNeedle(fid: Fid, needle: NeedleContent): Promise<"written" | "unchanged"> {
    try {
      const slot = this.#table.usable(fid.volumeId);
      if (slot.disk.admit(needle.data.length, this.#options.clock) === "unknown") {
        await this.#space.makeRoom(slot.disk, needle.data.length);
      }
      return await slot.volume.writeNeedle(fid, needle);
    } catch (error) {
      this.#refusals.changesRefusedCount++;
      throw error;
    }
  }

  async readNeedle(fid: Fid, options?: ReadNeedle): Promise<StoredNeedle | undefined> {
    try {
      return await this.#table.get(fid.volumeId).readNeedle(fid, options);
    } catch (error) {
      this.#refusals.readsRefusedCount++;
      throw error;
    }
  }

  async removeNeedle(fid: Fid): Promise<number | undefined> {
    try {
      return await this.#table.get(fid.volumeId).removeNeedle(fid);
    } catch (error) {
      this.#refusals.changesRefusedCount++;
      throw error;
    }
  }

  collectionOf(id: VolumeId): string | undefined {
    return this.#table.find(id)?.volume.collection;
  }

  /**
   * On the disk that fits best; another is tried when that one refuses. Throws `out-of-space` when no disk has room for
   * a volume, or may have another.
   */
  async createVolume(id: VolumeId, options: CreateVolume): Promise<void> {
    this.#refuseClosed(`make volume ${id}`);
    await this.#creation.create(id, options);
    this.#states.tell({ id, collection: options.collection, state: "writable" });
  }

  async volumes(): Promise<VolumeStatus[]> {
    const lent = this.#table
      .slots()
      .flatMap(([, { volume }]) => (volume instanceof LentVolume ? [volume] : []));
    if (lent.length > 0) await Promise.all(lent.map((volume) => volume.refreshStatus()));
    return this.#table
      .slots()
      .map(([, slot]) => this.#statusOf(slot))
      .sort((left, right) => left.id - right.id);
  }

  scan(id: VolumeId): AsyncGenerator<ScannedNeedle> {
    return this.#scans.scan(id, (scanned) => this.#lending.recall(scanned));
  }

  /**
   * Has another process append to a volume, and alone: it opens the files, and closes them before they are opened here again.
   * Until then nobody else is given the volume for new needles, and each of its needles is served through that process. A job that wants
   * the volume has it back first. Throws `job-running`, `read-only` or `wrong-form` when it is not one to lend.
   */
  async lend(id: VolumeId, borrower: Borrower): Promise<void> {
    this.#refuseClosed(`lend volume ${id}`);
    if (this.#scans.isScanned(id)) {
      throw new VolumeError("job-running", `Cannot lend volume ${id}: it is being scanned`);
    }
    await this.#lending.lend(id, borrower);
  }

  /** The volumes that a process has on loan. */
  lentTo(borrower: Borrower): VolumeId[] {
    return this.#lending.lentTo(borrower);
  }

  /** Those, and what it gave back last: see `Lending.heldBy`. */
  heldBy(borrower: Borrower): VolumeId[] {
    return this.#lending.heldBy(borrower);
  }

  /** The borrower has closed the volume. */
  returned(id: VolumeId, borrower: Borrower): void {
    this.#lending.returned(id, borrower);
  }

  /** Where another process may read the volume by itself; `undefined` when it must ask. */
  placeOf(id: VolumeId): FollowPlace | undefined {
    const slot = this.#table.find(id);
    if (slot === undefined) return undefined;
    const { volume, disk } = slot;
    if (!(volume instanceof Volume || volume instanceof LentVolume)) return undefined;
    const { collection, compactionRevision } = volume.status();
    return { id, collection, folder: disk.folder, compactionRevision };
  }

  watchStates(listener: (change: VolumeStateChange) => void): Disposable {
    return this.#states.watch(listener);
  }

  async disks(): Promise<DiskStatus[]> {
    const { disks } = this.#folders;
    for (const disk of disks) await this.#space.measure(disk);
    return Promise.all(
      disks.map((disk) => disk.status(this.#options, this.#creation.countOn(disk))),
    );
  }

  /** A volume whose disk is gone is forgotten at once, and its files are removed when the disk comes back. */
  async deleteVolume(id: VolumeId): Promise<void> {
    this.#refuseClosed(`delete volume ${id}`);
    await this.#lending.recall(id);
    await this.#deletion.delete(id);
  }

  async deleteCollection(collection: string): Promise<number> {
    const chosen = this.#table.slots().filter(([, slot]) => slot.volume.collection === collection);
    for (const [id] of chosen) await this.deleteVolume(id);
    return chosen.length;
  }

  async setWritable(id: VolumeId, state: "writable" | "read-only"): Promise<void> {
    this.#refuseClosed(`change volume ${id}`);
    await this.#lending.recall(id);
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
    return this.#deletion.deleteExpired();
  }

  vacuum(id: VolumeId, options?: JobOptions): Promise<VacuumReport> {
    return this.#maintenance.vacuum(id, options);
  }

  scrubVolume(id: VolumeId, options?: JobOptions): Promise<ScrubReport> {
    return this.#maintenance.scrub(id, options);
  }

  encodeVolume(id: VolumeId, options?: JobOptions & ErasureShape): Promise<void> {
    return this.#forms.encode(id, options);
  }

  async decodeVolume(id: VolumeId, options?: JobOptions): Promise<void> {
    await this.#forms.decode(id, options);
    await this.#folders.recordPlace(id);
  }

  rebuildVolume(id: VolumeId, options?: JobOptions): Promise<readonly number[]> {
    return this.#forms.rebuild(id, options);
  }

  /** Reads all shards of an erasure-coded volume against their checksums; what is damaged or missing. Nothing is repaired. */
  checkShards(id: VolumeId, options?: JobOptions): Promise<readonly Damage[]> {
    return this.#forms.check(id, options);
  }

  moveToRemote(id: VolumeId, backend: string, options: JobOptions = {}): Promise<void> {
    return this.#forms.upload(id, { ...options, backend });
  }

  moveFromRemote(id: VolumeId, options?: JobOptions): Promise<void> {
    return this.#forms.download(id, options);
  }

  quarantined(): readonly FoundDamage[] {
    return this.#maintenance.quarantined;
  }

  figures(): VolumeFigures {
    return { ...this.#maintenance.figures, ...this.#refusals };
  }

  /** Vacuums what is worth it now, one after another; returns how many volumes. To be called now and then. */
  vacuumRound(round: VacuumRound): Promise<number> {
    this.#refuseClosed("vacuum");
    return this.#maintenance.vacuumRound(round);
  }

  /** Scrubs the volume that is due, if any; whether there may be another. To be called now and then. */
  scrubRound(round: ScrubRound): Promise<boolean> {
    this.#refuseClosed("scrub");
    return this.#maintenance.scrubRound(round);
  }

  /** Refuses further changes, waits for those under way and closes all files. Closing twice is harmless. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const ended = this.#jobs.end();
    const idle = this.#table.slots().filter(([, slot]) => slot.job === undefined);
    const closings = idle.map(([, slot]) => slot.volume.close());
    // What a job works on is closed after it, and may be another volume by then.
    await Promise.allSettled([ended, ...closings]);
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

  /** A job on one volume. A lent one is had back first. */
  async #job<Value>(
    id: VolumeId,
    name: string,
    options: JobOptions,
    work: JobWork<Value>,
  ): Promise<Value> {
    this.#refuseClosed(`${name} volume ${id}`);
    await this.#lending.recall(id);
    return this.#jobs.run(id, name, options, work);
  }

  #statusOf(slot: VolumeSlot): VolumeStatus {
    const status = slot.volume.status();
    return { ...status, state: this.#space.stateOn(slot.disk, status.state) };
  }

  #refuseClosed(action: string): void {
    if (this.#isClosed) {
      throw new VolumeError("closed", `Cannot ${action}: the store is closed`);
    }
  }
}
