import type {
  Fid,
  NeedleContent,
  ReadNeedle,
  ScannedNeedle,
  StoredNeedle,
  VolumeState,
  VolumeStatus,
} from "@kelp/wire";

/**
 * One volume as the store serves it, whatever form its content has: a plain file, shards, or a file elsewhere.
 * The promises are those of `VolumeClient` and `NeedleStore`.
 */
export interface ServedVolume extends AsyncDisposable {
  readonly collection: string;
  readonly state: VolumeState;
  /** Date of the newest needle, removals left out; where it is absent `modifiedMs` of the status stands for it. */
  readonly newestNeedleMs?: number;
  append(fid: Fid, data: Uint8Array): Promise<void>;
  read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined>;
  remove(fid: Fid): Promise<void>;
  writeNeedle(fid: Fid, needle: NeedleContent): Promise<"written" | "unchanged">;
  readNeedle(fid: Fid, options?: ReadNeedle): Promise<StoredNeedle | undefined>;
  removeNeedle(fid: Fid): Promise<number | undefined>;
  /** Durable, and told to the store. Throws `volume-failed` when the volume failed. */
  setWritable(state: "writable" | "read-only"): Promise<void>;
  scan(): AsyncIterable<ScannedNeedle>;
  status(): VolumeStatus;
  /** Refuses new calls, waits for the changes and reads under way, then closes the files. Closing twice is harmless. */
  close(): Promise<void>;
}
