import type { Fid, NeedleId, VolumeClient, VolumeId } from "@kelp/wire";
import type { ReadManifest } from "../chunk/manifest-reader.ts";
import type { OtherBodies } from "../gateway/gateways.ts";
import type { FilerStore } from "../store/filer-store.ts";

export interface CheckDeps {
  readonly store: FilerStore;
  readonly volumes: VolumeClient;
  readonly readManifest: ReadManifest;
  /** Volumes of this collection belong to the filer. What others hold and no entry names is somebody else's. */
  readonly collection: string;
  readonly isInFlight: (fid: Fid) => boolean;
  readonly others: OtherBodies;
}

export interface CheckOptions {
  /** Removes needles that nothing names. Default `report`. */
  readonly orphans?: "report" | "remove";
  /** Needles held before garbage is read through for them. Default `UNKNOWN_NEEDLES_MAX`. */
  readonly needlesAtOnce?: number;
  readonly signal?: AbortSignal;
}

/** What does not fit together. */
export type CheckFinding =
  /** A needle that no entry, part, garbage row or running write knows: space lost, nothing else. */
  | {
      readonly kind: "orphan-needle";
      readonly fid: Fid;
      readonly sizeBytes: number;
      readonly isRemoved: boolean;
    }
  /**
   * A damaged record that no entry, part or garbage row names: an append that a crash tore before it was acknowledged, or what
   * was freed since. Space lost, nothing else.
   */
  | {
      readonly kind: "debris";
      readonly volumeId: VolumeId;
      readonly needleId: NeedleId;
      readonly recordBytes: number;
      readonly isRemoved: boolean;
    }
  /** A volume of another collection that has chunks of the filer's: it is not swept, and clients of the volume door may change it. */
  | {
      readonly kind: "shared-volume";
      readonly volumeId: VolumeId;
      readonly collection: string;
      /** Chunks in it that entries and parts name. */
      readonly namedCount: number;
    }
  /** An entry or part whose own row, or whose inline bytes, do not match their checksum: lost data. */
  | { readonly kind: "damaged-entry"; readonly owner: string; readonly reason: string }
  /** A named chunk that no volume holds: lost data. */
  | { readonly kind: "missing-chunk"; readonly fid: Fid }
  /** A volume that cannot be read at all: whatever it holds is lost until it can. */
  | {
      readonly kind: "unreadable-volume";
      readonly volumeId: VolumeId;
      /** Chunks in it that entries and parts name. */
      readonly namedCount: number;
      readonly reason: string;
    }
  | {
      readonly kind: "corrupt-needle";
      readonly volumeId: VolumeId;
      readonly needleId: NeedleId;
      readonly reason: string;
    }
  | {
      readonly kind: "size-differs";
      readonly fid: Fid;
      readonly namedBytes: number;
      readonly storedBytes: number;
    }
  /** An entry or part whose chunks do not add up to its size. */
  | {
      readonly kind: "content-size-differs";
      readonly owner: string;
      readonly sizeBytes: number;
      readonly chunkBytes: number;
    }
  /** An entry or part names a chunk that has no reference row: its chunk could be freed under it. */
  | { readonly kind: "unreferenced-chunk"; readonly owner: string; readonly fid: Fid }
  /** Content that entries, snapshots and copies share, with a wrong count of them: it could be freed under one, or never. */
  | {
      readonly kind: "holders-differ";
      readonly contentId: number;
      readonly holders: number;
      readonly counted: number;
    }
  /** References and named chunks differ in number. */
  | {
      readonly kind: "reference-count-differs";
      readonly references: number;
      readonly named: number;
    }
  | {
      readonly kind: "usage-differs";
      readonly tree: string;
      readonly counter: string;
      readonly counted: string;
    };
