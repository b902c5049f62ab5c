import { assert } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import type { DiskFolder } from "./disk-folder.ts";
import { UnavailableVolume } from "./unavailable-volume.ts";

/** Where a volume is, and what is being done to it. */
export interface VolumeSlot {
  readonly volume: ServedVolume;
  readonly disk: DiskFolder;
  /** Name of the job that has the volume: at most one has. */
  readonly job?: string | undefined;
}

interface Slot {
  volume: ServedVolume;
  disk: DiskFolder;
  job: string | undefined;
}

/** The volumes of a store, each in its slot. It owns them: what is exchanged is closed, what is dropped is the caller's. */
export class VolumeTable {
  readonly #slots = new Map<VolumeId, Slot>();

  has(id: VolumeId): boolean {
    return this.#slots.has(id);
  }

  /** Throws `no-such-volume`, or why the volume cannot be used: `volume-failed`, `volume-missing`. */
  get(id: VolumeId): ServedVolume {
    return this.usable(id).volume;
  }

  /** The slot of a volume that can be used. Throws as `get`. */
  usable(id: VolumeId): VolumeSlot {
    const slot = this.#slot(id);
    if (slot.volume instanceof UnavailableVolume) throw slot.volume.error();
    return slot;
  }

  /** `undefined` when there is none; one that cannot be used is there. */
  find(id: VolumeId): VolumeSlot | undefined {
    return this.#slots.get(id);
  }

  /** Every slot with its id, those of unusable volumes included, as they are now. */
  slots(): readonly (readonly [VolumeId, VolumeSlot])[] {
    return [...this.#slots];
  }

  add(id: VolumeId, slot: VolumeSlot): void {
    assert(!this.#slots.has(id), "a volume has one slot");
    const { volume, disk, job } = slot;
    this.#slots.set(id, { volume, disk, job });
  }

  /** Later calls do not find the volume. It is not closed. */
  drop(id: VolumeId): void {
    const isDropped = this.#slots.delete(id);
    assert(isDropped, "a volume is dropped once");
  }

  /**
   * Runs `work` while no other job has the volume, whatever its form. Needles are read and written meanwhile.
   * Throws `job-running`, and as `get`.
   */
  async withJob<Value>(
    id: VolumeId,
    name: string,
    work: (slot: VolumeSlot) => Promise<Value>,
  ): Promise<Value> {
    const slot = this.usable(id);
    return this.#reserve(id, name, () => work(slot));
  }

  /** The same for volumes that cannot be used, too: to delete them. */
  async withJobOnAny<Value>(
    id: VolumeId,
    name: string,
    work: (slot: VolumeSlot) => Promise<Value>,
  ): Promise<Value> {
    const slot = this.#slot(id);
    return this.#reserve(id, name, () => work(slot));
  }

  /** Later calls meet `next`; the earlier volume is closed when what it was doing is done. `disk`: where the volume is from now on. */
  async exchange(id: VolumeId, next: ServedVolume, disk?: DiskFolder): Promise<void> {
    const slot = this.#slot(id);
    slot.disk = disk ?? slot.disk;
    const earlier = slot.volume;
    assert(earlier !== next, "a volume is exchanged for another");
    slot.volume = next;
    await earlier.close();
  }

  /** Later calls meet `next`. The earlier volume is not closed: it is behind `next`, or `next` is what was before it. */
  cover(id: VolumeId, next: ServedVolume): void {
    this.#slot(id).volume = next;
  }

  async #reserve<Value>(id: VolumeId, name: string, work: () => Promise<Value>): Promise<Value> {
    const slot = this.#slot(id);
    if (slot.job !== undefined) {
      throw new VolumeError("job-running", `Cannot ${name} volume ${id}: ${slot.job} is under way`);
    }
    slot.job = name;
    try {
      return await work();
    } finally {
      slot.job = undefined;
    }
  }

  #slot(id: VolumeId): Slot {
    const slot = this.#slots.get(id);
    if (slot === undefined) {
      throw new VolumeError("no-such-volume", `Cannot use volume ${id}: it is not here`);
    }
    return slot;
  }
}
