import type { Clock, Disk, Hashes, Random, SqlDatabase } from "@kelp/base";
import type { BackupSource } from "./backup-source.ts";
import type { BackupTarget } from "./backup-target.ts";

export interface BackupDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Pick<Random, "uint32">;
  readonly hashes: Pick<Hashes, "digest">;
  /** Opens a database file, made when absent. */
  readonly openDatabase: (path: string) => SqlDatabase;
  /** Copies a database that others may be writing: one state of it, with all that was committed before the call. */
  readonly copyDatabase: (source: string, target: string) => Promise<void>;
}

export interface BackupRequest {
  readonly source: BackupSource;
  readonly target: BackupTarget;
  /** An empty folder for copies of the databases, which the caller removes. */
  readonly workFolder: string;
  /** Of the databases, the one that names the chunks. */
  readonly filerDatabase: string;
  readonly kelpVersion: string;
  /** Called before the manifest is written; what it throws ends the backup. */
  readonly beforeManifest?: () => Promise<void>;
  readonly onProgress?: (progress: BackupProgress) => void;
  readonly signal?: AbortSignal;
}

export interface BackupProgress {
  readonly chunksDone: number;
  readonly chunkCount: number;
  readonly copiedBytes: number;
}
