import type { Fid, ScannedNeedle, VolumeId, VolumeStatus } from "@kelp/wire";

/** The store that is backed up: its volumes through a running server, or opened by the backup itself. */
export interface BackupSource {
  /** Tells stores apart whose chunks may have equal addresses. */
  readonly storeId: string;
  /** The volumes when the hold began. */
  readonly volumes: readonly BackupVolume[];
  /** Database files, in the order in which they are to be copied. */
  readonly databases: readonly NamedFile[];
  /** Small files. */
  readonly files: readonly NamedFile[];
  /**
   * The stored bytes of a chunk, checked against their checksum; sealed ones stay sealed. Chunks that were named when the hold
   * began are there until it ends.
   */
  readChunk(fid: Fid): Promise<ChunkRead>;
  /**
   * Every live needle of a volume, checked. The hold is none on needles that clients write and remove: what changes meanwhile is told as it
   * was or as it is. The first thing that is damaged may be the volume itself.
   */
  scanVolume(id: VolumeId): AsyncIterable<ScannedNeedle | DamagedVolume>;
  /** A whole needle as `encodeLooseNeedle` writes it, checked. */
  readNeedle(fid: Fid): Promise<NeedleRead>;
}

/** A volume cannot be read, or not to its end. */
export interface DamagedVolume {
  readonly kind: "damaged-volume";
  readonly reason: string;
}

export type ChunkRead =
  | { readonly kind: "read"; readonly bytes: Uint8Array }
  /** Not there, or not what was stored. */
  | { readonly kind: "damaged"; readonly reason: string };

export type NeedleRead =
  | ChunkRead
  /** Removed meanwhile, or its time was over. */
  | { readonly kind: "absent" };

export interface NamedFile {
  /** In the data folder. */
  readonly name: string;
  /** Where it stands. */
  readonly path: string;
}

/** What of a volume is needed to make it again. */
export type BackupVolume = Pick<
  VolumeStatus,
  "id" | "collection" | "replicaPlacement" | "ttl" | "diskType"
> & {
  /** Whole records of what lives in it. Backups of before it was told have none. */
  readonly liveBytes?: number | undefined;
};
