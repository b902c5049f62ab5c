import type { VolumeTraits } from "@kelp/wire";
import type { IndexEntry } from "../index/index-entry.ts";
import type { FormatVersion } from "../needle/layout.ts";
import type { NeedleLocation } from "../index/needle-index.ts";

/** The bytes of a volume file that does not change any more, wherever they are. */
export interface SealedFile {
  readonly path: string;
  /** Fills `target` up to the end of the file; returns the count. */
  readAt(target: Uint8Array, offset: number): Promise<number>;
  /** The same without leaving the thread; `undefined` when that cannot be. */
  readAtSync(target: Uint8Array, offset: number): number | undefined;
  sizeBytes(): number;
  /**
   * Bytes were read that are not good: reads them again in other ways, if there are any; whether `target` is good at the end.
   * `isGood` looks at `target`.
   */
  readAround(target: Uint8Array, offset: number, isGood: () => boolean): Promise<boolean>;
  close(): Promise<void>;
}

/** The index of such a volume. Needles can still be removed. */
export interface SealedIndex {
  readonly liveCount: number;
  readonly liveBytes: number;
  readonly removedCount: number;
  readonly needleIdMax: bigint;
  /** `undefined` when the needle is unknown or removed. May throw `DiskError`. */
  find(idHigh: number, idLow: number): NeedleLocation | undefined;
  /** Every live needle. */
  entries(): AsyncIterable<IndexEntry>;
  /** Where live records begin, ascending, in units of `ALIGNMENT_BYTES`. */
  liveOffsetUnits(): Promise<Uint32Array>;
  /** Resolves when the removal of a live needle is on stable storage; later finds do not find it. */
  remove(idHigh: number, idLow: number): Promise<void>;
  close(): Promise<void>;
}

/** What a sealed volume is made of. The volume owns both and closes them. */
export interface SealedContent {
  readonly file: SealedFile;
  readonly index: SealedIndex;
  /** Of the records. */
  readonly version: FormatVersion;
  /** `form` is asked each time, because shards may come to be missing. */
  traits(): VolumeTraits;
  /** Whether enough is there to read all of it. */
  readonly isComplete: boolean;
  readonly createdMs: number;
  readonly modifiedMs: number;
}
