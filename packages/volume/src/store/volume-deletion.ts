import { type Clock, DiskError } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import { jobError } from "../sealed/job-error.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import type { Catalogue } from "./catalogue.ts";
import type { DiskSet } from "./disk-set.ts";
import { isVolumeExpired } from "./expired-volume.ts";
import type { Maintenance } from "./maintenance.ts";
import type { StateAnnouncer } from "./state-announcer.ts";
import { UnavailableVolume } from "./unavailable-volume.ts";
import type { VolumeForms } from "./volume-forms.ts";
import type { VolumeSlot, VolumeTable } from "./volume-table.ts";

export interface DeletionParts {
  readonly table: VolumeTable;
  readonly catalogue: Catalogue;
  readonly states: StateAnnouncer;
  readonly maintenance: Maintenance;
  readonly forms: VolumeForms;
  readonly folders: DiskSet;
  readonly clock: Clock;
}

/** Deletes volumes: noted in the catalogue first, so that a crash finishes what was begun. */
export class VolumeDeletion {
  readonly #parts: DeletionParts;

  constructor(parts: DeletionParts) {
    this.#parts = parts;
  }

  /** A volume whose disk is gone is forgotten at once, and its files are removed when the disk comes back. */
  async delete(id: VolumeId): Promise<void> {
    await this.#parts.table.withJobOnAny(id, "delete", (slot) => this.#drop(id, slot));
  }

  /** Deletes the volumes in which everything has outlived its TTL; returns which. Those that are busy are left for the next time. */
  async deleteExpired(): Promise<readonly VolumeId[]> {
    const { table } = this.#parts;
    const deleted: VolumeId[] = [];
    for (const [id, slot] of table.slots()) {
      const isBusy = slot.job !== undefined || slot.volume instanceof UnavailableVolume;
      if (isBusy || !this.#isExpired(slot.volume)) continue;
      const isDeleted = await table.withJob(id, "expire", (its) => this.#expire(id, its));
      if (isDeleted) deleted.push(id);
    }
    return deleted;
  }

  /** What is under way is finished; what comes later finds no volume. After a crash the deletion goes on. */
  async #drop(id: VolumeId, slot: VolumeSlot): Promise<void> {
    const { volume } = slot;
    const { collection } = volume;
    await this.#noteDeleted(id, slot);
    this.#parts.table.drop(id);
    this.#parts.states.tell({ id, collection, state: "deleted" });
    await volume.close();
    await this.#parts.forms.removeRemote(volume);
    await this.#parts.folders.finishDeletion({ id, collection });
    await this.#parts.catalogue.save();
    await this.#parts.maintenance.forget(id);
  }

  /** From here on a restart finishes the deletion. When it rejects there is none. */
  async #noteDeleted(id: VolumeId, slot: VolumeSlot): Promise<void> {
    const known = this.#parts.catalogue.volume(id);
    if (known === undefined) return;
    const { volume } = slot;
    const isSpread =
      volume instanceof UnavailableVolume || volume.status().form.kind === "erasure-coded";
    try {
      await this.#parts.catalogue.record({ ...known, isDeleted: true, isSpread });
    } catch (error) {
      if (!(error instanceof DiskError && error.isOutOfSpace)) await this.#retract(id, slot, error);
      throw jobError("delete", id, error);
    }
  }

  /** The catalogue on the disk may say that the volume is deleted: unless that is taken back, nothing more is taken into it. */
  async #retract(id: VolumeId, { volume, disk }: VolumeSlot, cause: unknown): Promise<void> {
    try {
      await this.#parts.catalogue.save();
    } catch {
      const { collection } = volume;
      const nowMs = this.#parts.clock.nowMs();
      const known = volume.status();
      const failed = { id, collection, disk, nowMs, cause, known };
      await this.#parts.table.exchange(id, new UnavailableVolume("failed", failed));
      this.#parts.states.tell({ id, collection, state: "failed" });
    }
  }

  #isExpired(volume: ServedVolume): boolean {
    const { ttl, modifiedMs } = volume.status();
    const newestNeedleMs = volume.newestNeedleMs ?? modifiedMs;
    return isVolumeExpired({ ttl, newestNeedleMs }, this.#parts.clock.nowMs());
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
}
