import type { Fid, NeedleId, VolumeId } from "../ids.ts";

/**
 * The way to stored blobs. Embedded it is the engine itself, across processes HTTP; both pass one contract suite.
 *
 * Implementations must:
 * - resolve `append` and `remove` only when the change is on stable storage;
 * - return from `read` exactly the bytes appended, their checksum verified on this very read;
 * - throw `VolumeError` (room `volume`, code in `errors.ts`) when the world failed; corruption is never "not found".
 *
 * Callers must not touch `data` between the call of `append` and its settling.
 */
export interface VolumeClient {
  /** Stores `data` under an id that the master assigned. Order among concurrent appends is free. */
  append(fid: Fid, data: Uint8Array): Promise<void>;
  /**
   * The whole content of the needle; `undefined` when absent, removed, or the cookie differs. In a fresh buffer, or, where
   * it fits, as a view of `scratch` (`CHUNK_SCRATCH_BYTES` hold any chunk), which is the callee's until the promise settles.
   */
  read(fid: Fid, scratch?: Uint8Array): Promise<Uint8Array | undefined>;
  /** Writes tombstones. Absent needles are skipped. */
  remove(fids: readonly Fid[]): Promise<void>;
  /** Makes an empty writable volume. */
  createVolume(id: VolumeId, options: { collection: string }): Promise<void>;
  volumes(): Promise<VolumeStatus[]>;
  /** Every live needle of a volume in file order, checksums verified: for `fsck` and scrubbing. */
  scan(id: VolumeId): AsyncIterable<ScannedNeedle>;
}

export interface VolumeStatus {
  readonly id: VolumeId;
  readonly collection: string;
  /** Durable length of the volume file. */
  readonly sizeBytes: number;
  readonly liveCount: number;
  /** Whole records (header, data, checksum, padding) of the live needles. */
  readonly liveBytes: number;
  /** Records that were removed or overwritten, without the tombstones. */
  readonly deletedCount: number;
  /** Whole records of those, and of the tombstones: what vacuuming would free. */
  readonly deletedBytes: number;
  /** Highest needle id ever seen in the volume, removed ones included; 0 when empty. */
  readonly needleIdMax: bigint;
  readonly state: VolumeState;
  /** Date of the first needle; of the opening while there is none. */
  readonly createdMs: number;
}

/** `full`: over the size limit; `failed`: a write failed and the volume refuses all further ones. */
export type VolumeState = "writable" | "full" | "read-only" | "failed";

/** Tells a listener at once when a volume appears or changes state, so that nobody has to ask in a loop. */
export interface VolumeStateSource {
  /** `listener` is called synchronously, after the change; it must not throw. Disposing ends it. */
  watchStates(listener: (change: VolumeStateChange) => void): Disposable;
}

export interface VolumeStateChange {
  readonly id: VolumeId;
  readonly collection: string;
  readonly state: VolumeState;
}

export type ScannedNeedle =
  | {
      readonly kind: "live";
      readonly needleId: NeedleId;
      readonly cookie: number;
      readonly sizeBytes: number;
    }
  | {
      readonly kind: "corrupt";
      readonly needleId: NeedleId;
      readonly offsetBytes: number;
      readonly reason: string;
    };
