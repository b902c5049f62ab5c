import type { Fid, ScannedNeedle, VolumeState, VolumeStatus } from "@kelp/wire";

/**
 * One volume as the store serves it, whatever form its content has: a plain file, shards, or a file elsewhere.
 * The promises are those of `VolumeClient`.
 */
export interface ServedVolume extends AsyncDisposable {
  readonly collection: string;
  readonly state: VolumeState;
  append(fid: Fid, data: Uint8Array): Promise<void>;
  read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined>;
  remove(fid: Fid): Promise<void>;
  scan(): AsyncIterable<ScannedNeedle>;
  status(): VolumeStatus;
  /** Refuses new calls, waits for the changes and reads under way, then closes the files. Closing twice is harmless. */
  close(): Promise<void>;
}
