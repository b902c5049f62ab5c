import type { Fid, VolumeId } from "../ids.ts";
import type { Ttl, VolumeStatus } from "./volume-client.ts";

/** Who decides where a new needle goes. */
export interface MasterClient {
  /**
   * Reserves an id in a writable volume with room for `sizeBytes`, growing the set of volumes when needed.
   * Throws `MasterError` (code `no-writable-volume`) when there is none and none can be made.
   */
  assign(request: AssignRequest): Promise<Fid>;
  status(): Promise<MasterStatus>;
}

/** Growth that somebody asks for. */
export interface MasterAdmin {
  /** Makes `count` volumes of a layout; returns those made. Throws `MasterError` when not even one could be made. */
  grow(count: number, layout: VolumeLayout): Promise<readonly VolumeId[]>;
}

/** What volumes have in common that take the same needles. */
export interface VolumeLayout {
  readonly collection: string;
  /** Default 0. */
  readonly replicaPlacement?: number | undefined;
  /** Of the volume: all in it lives so long. Default for ever. */
  readonly ttl?: Ttl | undefined;
  /** Default any. */
  readonly diskType?: string | undefined;
}

export interface AssignRequest extends VolumeLayout {
  readonly sizeBytes: number;
  /** Ids that are reserved, one after another from the one returned; default 1. All have the same cookie. */
  readonly count?: number | undefined;
}

export interface MasterStatus {
  readonly volumes: readonly VolumeStatus[];
  readonly totalBytes: number;
  readonly availableBytes: number;
}
