import type { Fid } from "../ids.ts";
import type { VolumeStatus } from "./volume-client.ts";

/** Who decides where a new needle goes. */
export interface MasterClient {
  /**
   * Reserves an id in a writable volume with room for `sizeBytes`, growing the set of volumes when needed.
   * Throws `MasterError` (code `no-writable-volume`) when there is none and none can be made.
   */
  assign(request: AssignRequest): Promise<Fid>;
  status(): Promise<MasterStatus>;
}

export interface AssignRequest {
  readonly collection: string;
  readonly sizeBytes: number;
}

export interface MasterStatus {
  readonly volumes: readonly VolumeStatus[];
  readonly totalBytes: number;
  readonly availableBytes: number;
}
