import { type Clock, type Disk, type Log, assert } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { Catalogue } from "./catalogue.ts";
import type { DiskFolder } from "./disk-folder.ts";
import type { DiskSpace } from "./disk-space.ts";
import type { StateAnnouncer } from "./state-announcer.ts";
import type { VolumeStoreOptions } from "./store-options.ts";
import { UnavailableVolume } from "./unavailable-volume.ts";
import { removeVolumeFiles } from "./volume-files.ts";
import type { VolumeForms } from "./volume-forms.ts";
import type { VolumeOpening } from "./volume-opening.ts";
import type { VolumeTable } from "./volume-table.ts";

/**
 * The folders of a store, from being taken to failing and coming back: which volumes they hold stands in the table.
 *
 * Invariants:
 * - every volume of a folder that cannot be used stands in the table as `missing`;
 * - a folder is used only while it is held and is the one that the catalogue knows at its path.
 */
export class DiskSet {
  readonly disks: readonly DiskFolder[];
  readonly #table: VolumeTable;
  readonly #catalogue: Catalogue;
  readonly #states: StateAnnouncer;
  readonly #space: DiskSpace;
  readonly #opening: VolumeOpening;
  readonly #forms: VolumeForms;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Log;
  #checking: Promise<void> | undefined;
  /** Volumes of shards that a job had when a folder came or went: they are opened anew after it. */
  readonly #toReopen = new Set<VolumeId>();

  constructor(
    options: VolumeStoreOptions,
    parts: {
      readonly table: VolumeTable;
      readonly catalogue: Catalogue;
      readonly states: StateAnnouncer;
      readonly space: DiskSpace;
      readonly opening: VolumeOpening;
      readonly forms: VolumeForms;
      readonly disks: readonly DiskFolder[];
    },
  ) {
    this.#table = parts.table;
    this.#catalogue = parts.catalogue;
    this.#states = parts.states;
    this.#space = parts.space;
    this.#opening = parts.opening;
    this.#disk = options.disk;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#forms = parts.forms;
    this.disks = parts.disks;
    assert(this.disks.length > 0, "a store has a folder");
  }

  /**
   * Takes every folder and opens what is in it. One that cannot be used does not keep the others from service.
   * Throws `folder-in-use` and `folder-used-twice`.
   */
  async openAll(): Promise<void> {
    for (const disk of this.disks) await this.#takeAtStart(disk);
    await this.#finishDeletions();
    await this.#opening.openIn(this.disks.filter((disk) => disk.failure === undefined));
    this.#opening.addMissing();
    this.#catalogue.keepFolders(this.disks.map((disk) => disk.folder));
    await this.#catalogue.save();
  }

  /** Looks after every folder: one that stopped answering takes its volumes away, one that answers again brings them back. */
  checkAll(): Promise<void> {
    this.#checking ??= this.#checkEach().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #checkEach(): Promise<void> {
    for (const id of this.#toReopen) await this.#reopen(id);
    const wereFailed = this.disks.filter((disk) => disk.failure !== undefined);
    const failing = new Map<DiskFolder, unknown>();
    // All are known before shards are looked for in those that are left.
    for (const disk of this.disks) {
      if (disk.failure === undefined) await this.#probe(disk, failing);
    }
    for (const [disk, error] of failing) {
      await this.#takeAway(disk, error);
      // Not before the last of its files is closed, so that no other process writes to it at the same time.
      disk.release();
    }
    for (const disk of wereFailed) await this.#tryAgain(disk);
  }

  release(): void {
    for (const disk of this.disks) disk.release();
  }

  async #takeAtStart(disk: DiskFolder): Promise<void> {
    try {
      await this.#take(disk);
    } catch (error) {
      if (error instanceof VolumeError) throw error;
      this.#log.error("a folder of volumes cannot be used", { folder: disk.folder, error });
    }
  }

  async #take(disk: DiskFolder): Promise<void> {
    await disk.take(this.#disk, this.#catalogue.folderAt(disk.folder));
    const twin = this.disks.find((other) => other !== disk && this.#isSame(other, disk));
    if (twin !== undefined) {
      const failure = new VolumeError(
        "folder-used-twice",
        `Cannot use ${disk.folder} for volumes: it is the same folder as ${twin.folder}, or a copy of it`,
      );
      disk.fail(failure);
      disk.release();
      throw failure;
    }
    this.#catalogue.setFolder(disk.folder, disk.uuid);
  }

  #isSame(other: DiskFolder, disk: DiskFolder): boolean {
    return other.failure === undefined && other.isHeld && other.uuid === disk.uuid;
  }

  /** What was deleted is removed wherever it can be reached, and forgotten once its own folder was. */
  async #finishDeletions(): Promise<void> {
    for (const known of this.#catalogue.volumes()) {
      if (known.isDeleted) await this.finishDeletion(known);
    }
  }

  /** Removes the files of a volume that the catalogue has as deleted. */
  async finishDeletion(name: {
    readonly id: VolumeId;
    readonly collection: string;
  }): Promise<void> {
    const usable = this.disks.filter((disk) => disk.failure === undefined);
    for (const disk of usable) await removeVolumeFiles(this.#disk, disk.folder, name);
    const known = this.#catalogue.volume(name.id);
    if (known === undefined) return;
    const reached = new Set(usable.map((disk) => disk.uuid));
    // A shard that was left behind would be the volume again.
    const awaited = known.isSpread === true ? this.#catalogue.uuids() : [];
    if ([known.folder, ...awaited].every((uuid) => reached.has(uuid))) {
      this.#catalogue.forget(name.id);
    }
  }

  /** The volume may be in another folder than before. */
  async recordPlace(id: VolumeId): Promise<void> {
    const slot = this.#table.find(id);
    if (slot === undefined) return;
    const { collection } = slot.volume;
    this.#catalogue.set({ id, collection, folder: slot.disk.uuid, isDeleted: false });
    await this.#catalogue.save();
  }

  async #probe(disk: DiskFolder, failing: Map<DiskFolder, unknown>): Promise<void> {
    try {
      await disk.probe(this.#disk);
      await this.#space.measure(disk);
    } catch (error) {
      this.#log.error("a folder of volumes failed; its volumes are missing", {
        folder: disk.folder,
        error,
      });
      disk.fail(error);
      failing.set(disk, error);
    }
  }

  async #takeAway(disk: DiskFolder, cause: unknown): Promise<void> {
    for (const [id, slot] of this.#table.slots()) {
      if (slot.volume instanceof UnavailableVolume) continue;
      // Shards go on with those that are left.
      const isReopened = await this.#reopen(id);
      if (isReopened || slot.disk !== disk) continue;
      const { collection } = slot.volume;
      const known = slot.volume.status();
      const nowMs = this.#clock.nowMs();
      const volume = new UnavailableVolume("missing", {
        id,
        collection,
        disk,
        nowMs,
        cause,
        known,
      });
      const closed = this.#table.exchange(id, volume);
      this.#states.tell({ id, collection, state: "missing" });
      try {
        await closed;
      } catch (error) {
        this.#log.warn("a volume of a failed folder could not be closed in order", {
          volume_id: id,
          error,
        });
      }
    }
  }

  /** Whether the shards are opened anew, or will be. */
  async #reopen(id: VolumeId): Promise<boolean> {
    const outcome = await this.#forms.reopen(id);
    if (outcome === "later") this.#toReopen.add(id);
    else this.#toReopen.delete(id);
    return outcome !== "not";
  }

  async #tryAgain(disk: DiskFolder): Promise<void> {
    try {
      await this.#take(disk);
    } catch {
      // Told when it failed; nothing has changed.
      return;
    }
    this.#log.info("a folder of volumes can be used again", { folder: disk.folder });
    await this.#finishDeletions();
    for (const [id] of this.#table.slots()) await this.#reopen(id);
    await this.#opening.openIn([disk]);
    await this.#catalogue.save();
  }
}
