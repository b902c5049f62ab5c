import type { Clock, Log } from "@kelp/base";
import type { VolumeId, VolumeState } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import type { DiskFolder } from "./disk-folder.ts";
import type { StateAnnouncer } from "./state-announcer.ts";
import type { VolumeStoreOptions } from "./store-options.ts";
import type { VolumeTable } from "./volume-table.ts";

/** The free space of disks, and what the world is told of volumes for it: nothing is writable on a disk without space. */
export class DiskSpace {
  readonly #options: VolumeStoreOptions;
  readonly #table: VolumeTable;
  readonly #states: StateAnnouncer;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(
    options: VolumeStoreOptions,
    parts: { readonly table: VolumeTable; readonly states: StateAnnouncer },
  ) {
    this.#options = options;
    this.#table = parts.table;
    this.#states = parts.states;
    this.#clock = options.clock;
    this.#log = options.log;
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

  /** What is told to the world of a volume that is in `state`: a writable one is full without space. */
  stateOn(disk: DiskFolder, state: VolumeState): VolumeState {
    return disk.isLow && state === "writable" ? "full" : state;
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
