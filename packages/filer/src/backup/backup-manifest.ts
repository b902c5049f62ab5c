import type { BackupVolume } from "./backup-source.ts";

/** Everything of one backup, by the hashes of its pieces. It is written last: what has a manifest is whole. */
export interface BackupManifest {
  readonly format: number;
  /** Sorts by time. */
  readonly id: string;
  readonly storeId: string;
  readonly kelpVersion: string;
  readonly startedMs: number;
  readonly finishedMs: number;
  /** Of the newest change in it: the state is that of this position. */
  readonly position: number;
  readonly databases: readonly BackupDatabase[];
  readonly files: readonly BackupFile[];
  readonly volumes: readonly BackupVolume[];
  /** Needles that no entry names, and the list of them. Absent where there are none. */
  readonly looseNeedles?: {
    readonly list: BackupDatabase;
    readonly count: number;
    /** What of them could not be read; a volume that could not be counts as one. */
    readonly damagedCount: number;
  };
  /** Chunks that entries name. */
  readonly chunkCount: number;
  /** Chunks, needles and volumes that could not be read when the backup was made, at most `DAMAGED_LISTED_MAX`. */
  readonly damaged: readonly { readonly fid: string; readonly reason: string }[];
  /** Of the chunks. */
  readonly damagedCount: number;
  /** Every pack that holds a piece of it. */
  readonly packs: readonly string[];
}

export interface BackupDatabase {
  readonly name: string;
  readonly sizeBytes: number;
  /** SHA-256 of each block of `BLOCK_BYTES`, in hex; the last may be shorter. */
  readonly blocks: readonly string[];
}

export interface BackupFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** SHA-256 of its one block, in hex. */
  readonly block: string;
}
