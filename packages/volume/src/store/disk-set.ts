import { type Clock, type Disk, type Log, Semaphore, assert } from "@kelp/base";
import type { VolumeId, VolumeState } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import {
  FULL_GRACE_BYTES_DEFAULT,
  VOLUMES_OPENED_AT_ONCE,
  VOLUME_SIZE_BYTES_DEFAULT,
} from "../limits.ts";
import { parseDataFileName } from "../volume/file-name.ts";
import { openVolume } from "../volume/open-volume.ts";
import { Volume, type VolumeOptions } from "../volume/volume.ts";
import type { Catalogue } from "./catalogue.ts";
import { DiskFolder } from "./disk-folder.ts";
import type { Maintenance } from "./maintenance.ts";
import type { StateAnnouncer } from "./state-announcer.ts";
import type { VolumeStoreOptions } from "./store-options.ts";
import type { PlainPlace } from "../sealed/job-context.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { UnavailableVolume } from "./unavailable-volume.ts";
import { removeVolumeFiles } from "./volume-files.ts";
import type { FoundForm, VolumeForms } from "./volume-forms.ts";
import type { VolumeSlot, VolumeTable } from "./volume-table.ts";

interface FoundVolume {
  readonly disk: DiskFolder;
  readonly id: VolumeId;
  readonly collection: string;
}

/**
 * The folders of a store, from being taken to failing and coming back: which volumes they hold stands in the table.
 *
 * Invariants:
 * - every volume of a folder that cannot be used stands in the table as `missing`;
 * - a folder is used only while it is held and is the one that the catalogue knows at its path.
 */
export class DiskSet {
  readonly disks: readonly DiskFolder[];
  readonly #options: VolumeStoreOptions;
  readonly #table: VolumeTable;
  readonly #catalogue: Catalogue;
  readonly #states: StateAnnouncer;
  readonly #maintenance: Maintenance;
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
      readonly maintenance: Maintenance;
      readonly forms: VolumeForms;
      readonly disks: readonly DiskFolder[];
    },
  ) {
    this.#options = options;
    this.#table = parts.table;
    this.#catalogue = parts.catalogue;
    this.#states = parts.states;
    this.#maintenance = parts.maintenance;
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
    await this.#openVolumes(this.disks.filter((disk) => disk.failure === undefined));
    this.#addMissing();
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

  /** Measures the free space; tells when volumes stop taking needles for the lack of it, and when they take them again. */
  async measure(disk: DiskFolder): Promise<number | undefined> {
    const wasLow = disk.isLow;
    const space = await disk.space(this.#options);
    if (disk.isLow !== wasLow) this.#tellLow(disk);
    return space?.availableBytes;
  }

  /** Makes room for `bytes`, or throws `volume-full`: they belong on another disk. */
  async makeRoom(disk: DiskFolder, bytes: number): Promise<void> {
    const availableBytes = await this.measure(disk);
    // What does not answer is written to all the same: the write tells what is wrong.
    if (availableBytes === undefined) return;
    if (disk.admit(bytes, this.#clock) === "yes") return;
    const wasLow = disk.isLow;
    disk.runLow(bytes);
    if (!wasLow) this.#tellLow(disk);
    throw new VolumeError(
      "volume-full",
      `Cannot write to ${disk.folder}: ${availableBytes} bytes are free, ${disk.freeBytesFloor} are kept free`,
    );
  }

  /** What is told to the world: nothing is writable on a disk without space. */
  stateOn(disk: DiskFolder, state: VolumeState): VolumeState {
    return disk.isLow && state === "writable" ? "full" : state;
  }

  volumeOptions(disk: DiskFolder, id: VolumeId, collection: string): VolumeOptions {
    return {
      id,
      collection,
      folder: disk.folder,
      disk: disk.index,
      diskType: disk.diskType,
      quarantined: this.#maintenance.damagedNeedles(disk, id),
      sizeBytesMax: this.#options.volumeSizeBytesMax ?? VOLUME_SIZE_BYTES_DEFAULT,
      graceBytes: this.#options.fullGraceBytes ?? FULL_GRACE_BYTES_DEFAULT,
      onStateChange: (state: VolumeState) => {
        if (state === "failed") disk.failedVolumeCount++;
        this.#states.tell({ id, collection, state: this.stateOn(disk, state) });
      },
    };
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

  async #openVolumes(disks: readonly DiskFolder[]): Promise<void> {
    const found: FoundVolume[] = [];
    for (const disk of disks) await this.#maintenance.openRecord(disk);
    for (const form of await this.#forms.open(disks)) {
      if (!this.#isIdOfAnother(form)) await this.#addForm(form);
      else if ("volume" in form) await form.volume.close();
    }
    for (const disk of disks) {
      for (const name of await this.#disk.list(disk.folder)) {
        const parsed = parseDataFileName(name);
        if (parsed === undefined) continue;
        const each = { disk, ...parsed };
        if (!this.#isIdOfAnother(each)) found.push(each);
      }
    }
    // Of two with one id the catalogue knows which was here first.
    const isKnown = ({ disk, id }: FoundVolume): boolean =>
      this.#catalogue.volume(id)?.folder === disk.uuid;
    found.sort((left, right) => Number(isKnown(right)) - Number(isKnown(left)));
    const first = new Map<VolumeId, FoundVolume>();
    const twins: FoundVolume[] = [];
    for (const each of found) {
      if (first.has(each.id)) twins.push(each);
      else first.set(each.id, each);
    }
    // No two of one id are opened at the same time.
    const slots = new Semaphore(VOLUMES_OPENED_AT_ONCE);
    const openInTurn = async (each: FoundVolume): Promise<void> => {
      using _permit = await slots.acquire();
      await this.#openOne(each);
    };
    await Promise.all(Array.from(first.values(), openInTurn));
    for (const twin of twins) await this.#openOne(twin);
    await this.#forms.dropLeftovers();
  }

  /**
   * Whether the id is that of a volume of another collection, which the catalogue knows: that one has it, even while its disk is
   * gone. Needles are named by the id alone, so whoever asks for its needles must not be told by another that there are none.
   */
  #isIdOfAnother({ disk, id, collection }: FoundVolume): boolean {
    const known = this.#catalogue.volume(id);
    if (known === undefined || known.isDeleted || known.collection === collection) return false;
    this.#log.error("a volume has the id of another; it is left alone", {
      volume_id: id,
      collection,
      folder: disk.folder,
      known_collection: known.collection,
    });
    return true;
  }

  /** A volume of shards, or one whose file lives elsewhere. */
  async #addForm(form: FoundForm): Promise<void> {
    const { id, collection, disk } = form;
    const nowMs = this.#clock.nowMs();
    const volume =
      "volume" in form
        ? form.volume
        : new UnavailableVolume("failed", { id, collection, disk, nowMs, cause: form.cause });
    if (this.#table.has(id)) await this.#table.exchange(id, volume, disk);
    else this.#table.add(id, { volume, disk });
    this.#catalogue.set({ id, collection, folder: disk.uuid, isDeleted: false });
    this.tell(id, volume);
  }

  /** Tells the world what state a volume is in. */
  tell(id: VolumeId, { collection, state }: ServedVolume): void {
    const disk = this.#table.find(id)?.disk;
    this.#states.tell({
      id,
      collection,
      state: disk === undefined ? state : this.stateOn(disk, state),
    });
  }

  /** Opens a volume file that a job has put together; `folder` when it is not in its place yet. */
  openPlain({ id, collection, disk, folder }: PlainPlace): Promise<ServedVolume> {
    const options = this.volumeOptions(disk, id, collection);
    return openVolume(this.#options, { ...options, folder: folder ?? disk.folder });
  }

  /** The volume may be in another folder than before. */
  async recordPlace(id: VolumeId): Promise<void> {
    const slot = this.#table.find(id);
    if (slot === undefined) return;
    const { collection } = slot.volume;
    this.#catalogue.set({ id, collection, folder: slot.disk.uuid, isDeleted: false });
    await this.#catalogue.save();
  }

  async #openOne({ disk, id, collection }: FoundVolume): Promise<void> {
    const earlier = this.#table.find(id);
    if (earlier !== undefined && !this.#mayReplace(earlier, disk)) {
      // It was made while its disk was on the way out, and has never left.
      if (earlier.disk === disk) return;
      // Which of the two is right cannot be known, so this one is not touched.
      this.#log.error("two volume files have one id; the second is left alone", {
        volume_id: id,
        collection,
        folder: disk.folder,
      });
      return;
    }
    const volume = await this.openOrFail(disk, id, collection);
    if (earlier !== undefined) this.#table.drop(id);
    this.#table.add(id, { volume, disk });
    this.#catalogue.set({ id, collection, folder: disk.uuid, isDeleted: false });
    this.#states.tell({ id, collection, state: this.stateOn(disk, volume.state) });
  }

  /** Of an unusable volume nothing is lost when its files turn up. */
  #mayReplace(earlier: VolumeSlot, disk: DiskFolder): boolean {
    if (earlier.job !== undefined || !(earlier.volume instanceof UnavailableVolume)) return false;
    return earlier.volume.state === "missing" || earlier.disk === disk;
  }

  /** What cannot be opened is logged, and unavailable. */
  async openOrFail(disk: DiskFolder, id: VolumeId, collection: string): Promise<ServedVolume> {
    try {
      const volume = await openVolume(this.#options, this.volumeOptions(disk, id, collection));
      if (volume instanceof Volume && volume.damagedCount > 0) {
        this.#log.error("a volume is damaged and should be scanned", {
          volume_id: id,
          collection,
          damaged_count: volume.damagedCount,
        });
      }
      return volume;
    } catch (cause) {
      this.#log.error("a volume cannot be opened", { volume_id: id, collection, error: cause });
      const nowMs = this.#clock.nowMs();
      return new UnavailableVolume("failed", { id, collection, disk, nowMs, cause });
    }
  }

  /** What the catalogue names and no folder holds: its disk is gone, or its files are. */
  #addMissing(): void {
    for (const { id, collection, folder, isDeleted } of this.#catalogue.volumes()) {
      if (isDeleted || this.#table.has(id)) continue;
      const disk = this.#diskOf(folder);
      this.#log.error("a volume is missing", { volume_id: id, collection, folder: disk.folder });
      const cause = disk.failure ?? new Error("its files are not in their folder");
      const nowMs = this.#clock.nowMs();
      const volume = new UnavailableVolume("missing", { id, collection, disk, nowMs, cause });
      this.#table.add(id, { volume, disk });
    }
  }

  #diskOf(uuid: string): DiskFolder {
    const held = this.disks.find((disk) => disk.uuid === uuid);
    const there = this.disks.find((disk) => this.#catalogue.folderAt(disk.folder) === uuid);
    return held ?? there ?? this.#goneDisk(uuid);
  }

  /** A folder that is not among those of this store any more. */
  #goneDisk(uuid: string): DiskFolder {
    const path = this.#catalogue.pathOf(uuid) ?? uuid;
    const disk = new DiskFolder(this.disks.length, { path });
    disk.fail(new Error(`no folder of volumes is ${path}`));
    return disk;
  }

  async #probe(disk: DiskFolder, failing: Map<DiskFolder, unknown>): Promise<void> {
    try {
      await disk.probe(this.#disk);
      await this.measure(disk);
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
    await this.#openVolumes([disk]);
    await this.#catalogue.save();
  }

  #tellLow(disk: DiskFolder): void {
    const text = disk.isLow ? "a disk has less free than its floor" : "a disk has space again";
    this.#log.warn(text, { folder: disk.folder });
    for (const [id, { volume, disk: its }] of this.#table.slots()) {
      if (its !== disk || volume.state !== "writable") continue;
      const { collection } = volume;
      this.#states.tell({ id, collection, state: this.stateOn(disk, volume.state) });
    }
  }
}
