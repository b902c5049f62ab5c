/**
 * Where backups are kept: named pieces of bytes, a folder or a bucket. Names are lower-case letters, digits, dots, hyphens and
 * single slashes.
 *
 * Implementations must:
 * - resolve `write` and `remove` when they are durable, and never show a part of one under its name;
 * - throw `BackupError` `target-failed` or `target-full` when the world failed.
 */
export interface BackupTarget {
  /** Names that begin with `prefix`, which ends in a slash or is empty. In any order. */
  list(prefix: string): Promise<string[]>;
  /** `undefined` when there is no such piece; shorter than the range when the piece ends before it. */
  read(name: string, range?: PieceRange): Promise<Uint8Array | undefined>;
  /** `undefined` when there is no such piece. */
  sizeOf(name: string): Promise<number | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Harmless when absent. Durable when resolved: a manifest is gone for good before what it names goes. */
  remove(name: string): Promise<void>;
}

export interface PieceRange {
  readonly offset: number;
  readonly sizeBytes: number;
}
