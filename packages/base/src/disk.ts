/**
 * The disk as a port: the few calls that the storage engines make, so that a simulated disk can lose
 * unsynced writes, tear them, fill up or flip bits. `platform` holds the real one.
 *
 * Implementations must:
 * - throw `DiskError` for every failure of the system call, with the errno name in `code`;
 * - treat a failed sync as final: after it the file's unsynced content is unknown (the caller poisons its writer).
 */
export interface Disk {
  /** Opens `path`. `create` makes the file when absent and refuses when `exclusive` and present. */
  open(path: string, options: OpenOptions): Promise<DiskFile>;
  makeFolder(path: string): Promise<void>;
  /** Names in a folder, unsorted, without `.` and `..`. */
  list(path: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  remove(path: string): Promise<void>;
  /** Atomic on one file system; durable only after `syncFolder` of the target's folder. */
  rename(source: string, target: string): Promise<void>;
  /** Makes creations, renames and removals in the folder durable. */
  syncFolder(path: string): Promise<void>;
  readWhole(path: string): Promise<Uint8Array>;
  /** Writes a file so that after a crash it is the old content or the new one: temporary name, sync, rename, folder sync. */
  writeWhole(path: string, content: Uint8Array, options?: { mode?: number }): Promise<void>;
  /** Space of the file system that holds `path`. */
  space(path: string): Promise<DiskSpace>;
}

export interface OpenOptions {
  readonly access: "read" | "read-write";
  readonly create?: boolean;
  readonly exclusive?: boolean;
}

export interface DiskSpace {
  readonly totalBytes: number;
  /** Free to this user, which is less than free to root. */
  readonly availableBytes: number;
  /** Equal for paths of one file system; `undefined` where that cannot be told. */
  readonly fileSystem?: string | undefined;
}

/** An open file. Offsets and sizes are bytes. Closing twice is harmless. */
export interface DiskFile extends AsyncDisposable {
  readonly path: string;
  /** Reads up to `target.length` bytes into `target`; returns the count, less only at the end of the file. */
  readAt(target: Uint8Array, offset: number): Promise<number>;
  /** The same without leaving the thread: for small reads that are most likely cached. */
  readAtSync(target: Uint8Array, offset: number): number;
  /** Writes all parts one after another from `offset`. Not durable until `sync`. */
  writeAt(parts: readonly Uint8Array[], offset: number): Promise<void>;
  /** Makes written content and the file's length durable (fdatasync). */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

/** A failed system call. `code` is the errno name, such as `ENOSPC`. */
export class DiskError extends Error {
  override readonly name = "DiskError";
  readonly code: string;
  readonly path: string;

  constructor(action: string, path: string, code: string, cause: unknown) {
    super(`Cannot ${action} ${path}: ${code}`, { cause });
    this.code = code;
    this.path = path;
  }

  /** No space, no quota or the file would grow too large: the writer can go on once space returns. */
  get isOutOfSpace(): boolean {
    return this.code === "ENOSPC" || this.code === "EDQUOT" || this.code === "EFBIG";
  }
}
