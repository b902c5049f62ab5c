import { type Clock, type Disk, type Log, Semaphore } from "@kelp/base";
import type { VolumeId, VolumeState } from "@kelp/wire";
import {
  FULL_GRACE_BYTES_DEFAULT,
  VOLUMES_OPENED_AT_ONCE,
  VOLUME_SIZE_BYTES_DEFAULT,
} from "../limits.ts";
import type { PlainPlace } from "../sealed/job-context.ts";
import { parseDataFileName } from "../volume/file-name.ts";
import { openVolume } from "../volume/open-volume.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { Volume, type VolumeOptions } from "../volume/volume.ts";
import type { Catalogue } from "./catalogue.ts";
import { DiskFolder } from "./disk-folder.ts";
import type { DiskSpace } from "./disk-space.ts";
import type { Maintenance } from "./maintenance.ts";
import type { StateAnnouncer } from "./state-announcer.ts";
import type { VolumeStoreOptions } from "./store-options.ts";
import { UnavailableVolume } from "./unavailable-volume.ts";
import type { FoundForm, VolumeForms } from "./volume-forms.ts";
import type { VolumeSlot, VolumeTable } from "./volume-table.ts";

export interface OpeningParts {
  readonly table: VolumeTable;
  readonly catalogue: Catalogue;
  readonly states: StateAnnouncer;
  readonly space: DiskSpace;
  readonly maintenance: Maintenance;
  readonly forms: VolumeForms;
  /** All of the store. */
  readonly disks: readonly DiskFolder[];
}

interface FoundVolume {
  readonly disk: DiskFolder;
  readonly id: VolumeId;
  readonly collection: string;
}

/** Opens what is found in folders, each id once, and knows what should be there and is not. */
export class VolumeOpening {
  readonly #options: VolumeStoreOptions;
  readonly #table: VolumeTable;
  readonly #catalogue: Catalogue;
  readonly #states: StateAnnouncer;
  readonly #space: DiskSpace;
  readonly #maintenance: Maintenance;
  readonly #forms: VolumeForms;
  readonly #disks: readonly DiskFolder[];
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(options: VolumeStoreOptions, parts: OpeningParts) {
    this.#options = options;
    this.#table = parts.table;
    this.#catalogue = parts.catalogue;
    this.#states = parts.states;
    this.#space = parts.space;
    this.#maintenance = parts.maintenance;
    this.#forms = parts.forms;
    this.#disks = parts.disks;
    this.#disk = options.disk;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Opens every volume in usable folders. One that cannot be opened does not keep the others from service. */
  async openIn(disks: readonly DiskFolder[]): Promise<void> {
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

  /** What the catalogue names and no folder holds: its disk is gone, or its files are. */
  addMissing(): void {
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

  /** Opens a volume file that a job has put together; `folder` when it is not in its place yet. */
  openPlain({ id, collection, disk, folder }: PlainPlace): Promise<ServedVolume> {
    const options = this.volumeOptions(disk, id, collection);
    return openVolume(this.#options, { ...options, folder: folder ?? disk.folder });
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
        this.#states.tell({ id, collection, state: this.#space.stateOn(disk, state) });
      },
    };
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
    this.#space.tell(id, volume);
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
    this.#states.tell({ id, collection, state: this.#space.stateOn(disk, volume.state) });
  }

  /** Of an unusable volume nothing is lost when its files turn up. */
  #mayReplace(earlier: VolumeSlot, disk: DiskFolder): boolean {
    if (earlier.job !== undefined || !(earlier.volume instanceof UnavailableVolume)) return false;
    return earlier.volume.state === "missing" || earlier.disk === disk;
  }

  #diskOf(uuid: string): DiskFolder {
    const held = this.#disks.find((disk) => disk.uuid === uuid);
    const there = this.#disks.find((disk) => this.#catalogue.folderAt(disk.folder) === uuid);
    return held ?? there ?? this.#goneDisk(uuid);
  }

  /** A folder that is not among those of this store any more. */
  #goneDisk(uuid: string): DiskFolder {
    const path = this.#catalogue.pathOf(uuid) ?? uuid;
    const disk = new DiskFolder(this.#disks.length, { path });
    disk.fail(new Error(`no folder of volumes is ${path}`));
    return disk;
  }
}
