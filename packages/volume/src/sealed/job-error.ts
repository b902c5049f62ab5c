import { DiskError } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";

/** A failure of the disk as one of this room: `out-of-space` or `volume-failed`. Others as they are. */
export function jobError(action: string, id: VolumeId, error: unknown): unknown {
  if (!(error instanceof DiskError)) return error;
  const code = error.isOutOfSpace ? "out-of-space" : "volume-failed";
  return new VolumeError(code, `Cannot ${action} volume ${id}: ${error.message}`, { cause: error });
}

export function wrongForm(action: string, id: VolumeId, found: string): VolumeError {
  return new VolumeError("wrong-form", `Cannot ${action} volume ${id}: it is ${found}`);
}
