/**
 * What can go wrong in the world of the filer:
 * - `chunk-corrupt`       a chunk's stored bytes do not match their checksum or their length
 * - `chunk-missing`       an entry names a chunk that no volume holds
 * - `entry-corrupt`       a row of the metadata store does not match its checksum, is sealed and does not open, or rows do not fit together
 * - `chunk-store-failed`  the volumes refused to store or read a chunk for another reason
 * - `out-of-space`        no space for chunks or for the metadata; nothing was changed
 * - `overloaded`          more work is waiting than the bounds allow; nothing was changed
 * - `store-failed`        the metadata store failed; the change did not happen
 * - `invalid-path`        a rename would make a path that is too long
 * - `closed`              the filer is closed
 */
export type FilerErrorCode =
  | "chunk-corrupt"
  | "chunk-missing"
  | "entry-corrupt"
  | "chunk-store-failed"
  | "out-of-space"
  | "overloaded"
  | "store-failed"
  | "invalid-path"
  | "closed";

export class FilerError extends Error {
  override readonly name = "FilerError";
  readonly code: FilerErrorCode;

  constructor(code: FilerErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/**
 * Why a sealed store does not open. The message is the reason alone, for whoever says what cannot be done:
 * - `key-missing`   the store is sealed, and no master key is given
 * - `key-wrong`     the store is sealed under another master key
 * - `ring-damaged`  a key of the ring does not open under its master key, or the ring of a sealed store is gone
 */
export type SealingErrorCode = "key-missing" | "key-wrong" | "ring-damaged";

export class SealingError extends Error {
  override readonly name = "SealingError";
  readonly code: SealingErrorCode;

  constructor(code: SealingErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/**
 * Why a backup or a restore ended. The message is the reason alone:
 * - `target-unusable`   the place holds other things, or no backups
 * - `target-in-use`     another backup or restore uses the target in a way that excludes this one
 * - `target-full`       no space is left at the target; earlier backups are as they were
 * - `work-full`         no space is left for copies of the databases meanwhile
 * - `folder-full`       no space is left where a restore goes
 * - `target-failed`     the target cannot be read or written; the cause tells
 * - `source-failed`     the store that is backed up cannot be read; the cause tells
 * - `source-damaged`    a database of the store is damaged
 * - `no-such-backup`    the target holds no backup of that id, or none at all
 * - `store-unclear`     no backup is named, and the target holds those of several stores
 * - `backup-damaged`    a piece of the backup is missing, torn or not what was written
 * - `format-unknown`    a newer Kelp made the backup
 * - `folder-not-empty`  a restore needs an empty folder
 */
export type BackupErrorCode =
  | "target-unusable"
  | "target-in-use"
  | "target-full"
  | "work-full"
  | "folder-full"
  | "target-failed"
  | "source-failed"
  | "source-damaged"
  | "no-such-backup"
  | "store-unclear"
  | "backup-damaged"
  | "format-unknown"
  | "folder-not-empty";

export class BackupError extends Error {
  override readonly name = "BackupError";
  readonly code: BackupErrorCode;

  constructor(code: BackupErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** How deep causes are followed: error chains are short, and a cycle must end. */
const CAUSES_MAX = 8;

/** Every `code` text on an error and its causes, outermost first. Rooms below are known by their codes, not their classes. */
export function errorCodes(error: unknown): string[] {
  const codes: string[] = [];
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth += 1) {
    if ("code" in current && typeof current.code === "string") codes.push(current.code);
    current = current.cause;
  }
  return codes;
}

/** An error of a volume or the master while storing, as the filer's own. */
export function appendError(error: unknown): FilerError {
  if (error instanceof FilerError) return error;
  const codes = errorCodes(error);
  const cause = { cause: error };
  if (codes.some(isSpaceCode)) {
    return new FilerError("out-of-space", "Cannot store chunk: no space is left", cause);
  }
  if (codes.includes("overloaded")) {
    return new FilerError("overloaded", "Cannot store chunk: too many appends are waiting", cause);
  }
  return new FilerError("chunk-store-failed", "Cannot store chunk: the volumes refused it", cause);
}

/** An error of the metadata store as the filer's own. */
export function storeError(error: unknown): FilerError {
  if (error instanceof FilerError) return error;
  const cause = { cause: error };
  if (errorCodes(error).some(isSpaceCode)) {
    return new FilerError("out-of-space", "Cannot commit: no space is left for metadata", cause);
  }
  return new FilerError("store-failed", "Cannot reach the metadata store: it failed", cause);
}

function isSpaceCode(code: string): boolean {
  return (
    code === "out-of-space" || code === "SQLITE_FULL" || code === "ENOSPC" || code === "EDQUOT"
  );
}
