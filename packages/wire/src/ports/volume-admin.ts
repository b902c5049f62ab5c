import type { VolumeId } from "../ids.ts";

/**
 * What operators and background jobs do to whole volumes. Every call is safe to repeat and to be interrupted: a crash
 * in the middle leaves the volume as it was, or finished. Throws `VolumeError`.
 */
export interface VolumeAdmin {
  /** The folders that hold volumes, in the order they were given; failed ones included. */
  disks(): Promise<DiskStatus[]>;
  /** Removes the volume and its files. */
  deleteVolume(id: VolumeId): Promise<void>;
  /** Removes every volume of the collection; returns how many. */
  deleteCollection(collection: string): Promise<number>;
  setWritable(id: VolumeId, state: "writable" | "read-only"): Promise<void>;
  /**
   * Copies what lives into new files and swaps them in, serving reads and writes meanwhile. A damaged needle is copied as it is. A volume of
   * an older version becomes one of the version that is written today.
   */
  vacuum(id: VolumeId, options?: JobOptions): Promise<VacuumReport>;
  /** Turns a plain volume into shards; the data file goes only after all shards were read back and verified. */
  encodeVolume(id: VolumeId, options?: JobOptions & ErasureShape): Promise<void>;
  /** Turns shards back into a plain volume. */
  decodeVolume(id: VolumeId, options?: JobOptions): Promise<void>;
  /** Makes missing and quarantined shards anew from the others; returns their numbers. */
  rebuildVolume(id: VolumeId, options?: JobOptions): Promise<readonly number[]>;
  /** Reads everything of a volume against its checksums, repairs from parity where it can, quarantines where it cannot. */
  scrubVolume(id: VolumeId, options?: JobOptions): Promise<ScrubReport>;
  /** Moves the data file of a sealed volume to a remote store; the index stays. */
  moveToRemote(id: VolumeId, backend: string, options?: JobOptions): Promise<void>;
  moveFromRemote(id: VolumeId, options?: JobOptions): Promise<void>;
  /** All that scrubbing found damaged and that is neither repaired, overwritten nor removed. */
  quarantined(): readonly FoundDamage[];
  figures(): VolumeFigures;
}

export interface JobOptions {
  /** Bytes read and written together in a second; default is the job's own bound. */
  readonly bytesPerSec?: number;
  readonly signal?: AbortSignal;
}

export interface ErasureShape {
  /** Default 10. */
  readonly dataShards?: number;
  /** Default 4. */
  readonly parityShards?: number;
}

export interface DiskStatus {
  readonly folder: string;
  readonly diskType: string;
  readonly state: "ok" | "failed";
  readonly totalBytes: number;
  readonly availableBytes: number;
  /** Equal for folders of one file system, which share its space; `undefined` where that cannot be told. */
  readonly fileSystem?: string | undefined;
  readonly volumeCount: number;
  /** At most so many; `undefined` as many as space allows. */
  readonly volumeCountMax: number | undefined;
}

export interface VacuumReport {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly liveCount: number;
  /** Damaged needles that were kept as they are, with their new places: quarantined. */
  readonly damaged: readonly Damage[];
}

export interface ScrubReport {
  readonly checkedCount: number;
  readonly checkedBytes: number;
  readonly repaired: readonly Damage[];
  /** Found and not repaired: quarantined. */
  readonly damaged: readonly Damage[];
}

/** What was done and refused since the store was opened. */
export interface VolumeFigures {
  /** Appends and removals that failed, for whatever reason. */
  readonly changesRefusedCount: number;
  /** Reads that ended with an error, corruption included; not those of absent needles. */
  readonly readsRefusedCount: number;
  readonly vacuumCount: number;
  readonly vacuumFailureCount: number;
  readonly vacuumFreedBytes: number;
  readonly scrubCount: number;
  readonly scrubbedNeedleCount: number;
  readonly scrubbedBytes: number;
  /** Found by scrubbing, repaired ones included. */
  readonly damagedCount: number;
  readonly repairedCount: number;
}

export interface FoundDamage extends Damage {
  readonly foundMs: number;
}

export interface Damage {
  readonly volumeId: VolumeId;
  /** Needle id in hex, or `shard N`, or `index`. */
  readonly what: string;
  readonly offsetBytes: number;
  readonly reason: string;
}
