import type { VolumeId } from "@kelp/wire";
import type { BlockSizes } from "../erasure/layout.ts";
import type { DiskFolder } from "../store/disk-folder.ts";
import type { VolumeTable } from "../store/volume-table.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import type { ServedVolume } from "../volume/served-volume.ts";

/** What jobs need that change the form of a volume. */
export interface JobContext {
  readonly deps: VolumeDeps;
  readonly table: VolumeTable;
  readonly disks: readonly DiskFolder[];
  /** Opens a plain volume that has just been put together. */
  readonly openPlain: (volume: PlainPlace) => Promise<ServedVolume>;
  /** Tells whoever watches that a volume is no longer, or again, writable. */
  readonly announce: (id: VolumeId, volume: ServedVolume) => void;
  /** Other than the format's only in tests. */
  readonly blocks?: BlockSizes;
}

export interface PlainPlace {
  readonly id: VolumeId;
  readonly collection: string;
  readonly disk: DiskFolder;
  /** Of its files; that of the disk unless given. */
  readonly folder?: string;
}
