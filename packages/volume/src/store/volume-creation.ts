import { DiskError } from "@kelp/base";
import type { CreateVolume, VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { WIDE_VOLUME_FILE_BYTES_MAX } from "../limits.ts";
import { isStorableTtl } from "../needle/fields.ts";
import { isCollection } from "../volume/file-name.ts";
import { Volume } from "../volume/volume.ts";
import type { Catalogue } from "./catalogue.ts";
import type { DiskFolder } from "./disk-folder.ts";
import type { DiskSpace } from "./disk-space.ts";
import { placeVolume } from "./placement.ts";
import type { VolumeStoreOptions } from "./store-options.ts";
import { removeVolumeFiles } from "./volume-files.ts";
import type { VolumeOpening } from "./volume-opening.ts";
import type { VolumeTable } from "./volume-table.ts";

export interface VolumeCreationParts {
  readonly table: VolumeTable;
  readonly catalogue: Catalogue;
  readonly disks: readonly DiskFolder[];
  readonly space: DiskSpace;
  readonly opening: VolumeOpening;
  /** Whether the store was closed meanwhile. */
  readonly isClosed: () => boolean;
}

/** Makes volumes: on which disk, and what the catalogue knows of them before anybody writes to them. */
export class VolumeCreation {
  readonly #options: VolumeStoreOptions;
  readonly #parts: VolumeCreationParts;
  /** Volumes being made, each with its disk once that is chosen. */
  readonly #creating = new Map<VolumeId, DiskFolder | undefined>();

  constructor(options: VolumeStoreOptions, parts: VolumeCreationParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Throws `volume-exists`, `invalid-collection`, `invalid-traits`, `out-of-space` or `volume-failed`. */
  async create(id: VolumeId, options: CreateVolume): Promise<void> {
    refuseBadTraits(id, options);
    const { table, catalogue } = this.#parts;
    // A deleted volume whose disk is gone has its id until its files can be removed.
    const isTaken = table.has(id) || catalogue.volume(id) !== undefined;
    if (isTaken || this.#creating.has(id)) {
      throw new VolumeError("volume-exists", `Cannot make volume ${id}: it exists`);
    }
    this.#creating.set(id, undefined);
    try {
      await this.#createSomewhere(id, options);
    } finally {
      this.#creating.delete(id);
    }
  }

  /** Volumes on a disk, those included that are being made there. */
  countOn(disk: DiskFolder): number {
    const coming = [...this.#creating.values()].filter((its) => its === disk);
    return (
      this.#parts.table.slots().filter(([, slot]) => slot.disk === disk).length + coming.length
    );
  }

  async #createSomewhere(id: VolumeId, options: CreateVolume): Promise<void> {
    const measured: { disk: DiskFolder; availableBytes: number | undefined }[] = [];
    for (const disk of this.#parts.disks) {
      measured.push({ disk, availableBytes: await this.#parts.space.measure(disk) });
    }
    // Counted and chosen in one turn, so that volumes made at once see each other.
    const places = measured.map((each) => ({ ...each, volumeCount: this.countOn(each.disk) }));
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
    this.#creating.set(id, disk);
    const volumeOptions = {
      ...this.#parts.opening.volumeOptions(disk, id, collection),
      ...(options.isLarge === true && { sizeBytesMax: WIDE_VOLUME_FILE_BYTES_MAX }),
    };
    const volume = await Volume.create(this.#options, volumeOptions, options);
    try {
      await this.#parts.catalogue.record({ id, collection, folder: disk.uuid, isDeleted: false });
    } catch (error) {
      await volume.close();
      await removeVolumeFiles(this.#options.disk, disk.folder, { collection, id });
      // Not a refusal of this disk: the next one would not do better.
      throw creationFailed(id, error);
    }
    if (disk.failure !== undefined) {
      await volume.close();
      throw new VolumeError("volume-failed", `Cannot make volume ${id}: its disk failed meanwhile`);
    }
    if (this.#parts.isClosed()) await volume.close();
    this.#parts.table.add(id, { volume, disk });
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
