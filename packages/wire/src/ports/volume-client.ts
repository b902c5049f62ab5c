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
   * Who knows the content's xxHash3 from when it was stored gives it as `hash64`: it is then what is verified, in place of
   * the slower checksum of the format.
   */
  read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined>;
  /** Writes tombstones. Absent needles are skipped. */
  remove(fids: readonly Fid[]): Promise<void>;
  /** Makes an empty writable volume. */
  createVolume(id: VolumeId, options: CreateVolume): Promise<void>;
  volumes(): Promise<VolumeStatus[]>;
  /** Every live needle of a volume in file order, checksums verified: for `fsck` and scrubbing. */
  scan(id: VolumeId): AsyncIterable<ScannedNeedle>;
}

export interface CreateVolume {
  /** "" is the one without a name. */
  readonly collection: string;
  /** Copies beyond the first: other centres × 100 + other racks × 10 + other servers; default 0. */
  readonly replicaPlacement?: number;
  /** How long needles of the volume live; default for ever. */
  readonly ttl?: Ttl;
  /** Kind of disk that is wanted, such as `ssd`; default any. */
  readonly diskType?: string;
  /**
   * Its offsets have 5 bytes, so that it may grow beyond 32 GiB, and it has no size limit while its store is open. Such volumes are not
   * encoded or moved, and SeaweedFS reads them in its build for large ones alone: for what is as large already. Default no.
   */
  readonly isLarge?: boolean;
}

/** A lifetime as the volume format keeps it: a count of units. Count 0 is for ever. */
export interface Ttl {
  /** 0 … 255. */
  readonly count: number;
  readonly unit: TtlUnit;
}

export type TtlUnit = "none" | "minute" | "hour" | "day" | "week" | "month" | "year";

export const NO_TTL: Ttl = { count: 0, unit: "none" };

/** What a volume is besides its counters. */
export interface VolumeTraits {
  /** Of the format: 1, 2 or 3. New volumes are of version 3. */
  readonly version: number;
  readonly replicaPlacement: number;
  readonly ttl: Ttl;
  readonly diskType: string;
  /** One more with each vacuum. */
  readonly compactionRevision: number;
  /** Place of its folder in `VolumeAdmin.disks`. */
  readonly disk: number;
  readonly form: VolumeForm;
}

/** How the content is kept. */
export type VolumeForm =
  | { readonly kind: "plain" }
  | {
      readonly kind: "erasure-coded";
      readonly dataShards: number;
      readonly parityShards: number;
      /** Numbers of the shards that are absent or quarantined. */
      readonly missingShards: readonly number[];
    }
  /** The data file lives elsewhere, the index here. */
  | { readonly kind: "remote"; readonly backend: string; readonly key: string };

/** A plain volume as Kelp makes it. */
export const PLAIN_VOLUME: VolumeTraits = {
  version: 3,
  replicaPlacement: 0,
  ttl: NO_TTL,
  diskType: "",
  compactionRevision: 0,
  disk: 0,
  form: { kind: "plain" },
};

export interface VolumeStatus extends VolumeTraits {
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
  /** The other process that alone writes its files. Everything that the state admits is done through it; for new needles others are chosen. */
  readonly holder?: string;
  /** Date of the first needle; of the opening while there is none. */
  readonly createdMs: number;
  /** Date of the newest record; 0 while there is none, or nothing tells it. */
  readonly modifiedMs: number;
}

/**
 * `full`: over the size limit; `failed`: a write failed and the volume refuses all further ones; `missing`: its disk
 * failed or is absent, nothing of it can be read; `deleted`: said once, when the volume is dropped.
 */
export type VolumeState = "writable" | "full" | "read-only" | "failed" | "missing" | "deleted";

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
      /** When it was appended, nanoseconds; 0 in volumes of version 1 and 2. */
      readonly appendedNs: bigint;
    }
  | {
      readonly kind: "corrupt";
      readonly needleId: NeedleId;
      /** What its record has in the place of the cookie: by it the needle can be removed. `undefined`: it cannot be read. */
      readonly cookie: number | undefined;
      readonly offsetBytes: number;
      /** What its record takes of the volume. */
      readonly recordBytes: number;
      readonly reason: string;
    };
