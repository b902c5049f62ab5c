import type { ByteStream } from "./body.ts";

/**
 * Ordinary files as a port, for rooms that exchange files with other programs: trees of them, streamed, without the
 * durability that `Disk` promises. `platform` holds the real one. All paths are absolute. Every failure of the system
 * is a `DiskError`.
 */
export interface LocalFiles {
  makeFolder(path: string): Promise<void>;
  /** Removes a file or a whole tree; harmless when absent. */
  removeTree(path: string): Promise<void>;
  /** What stands at `path`, links followed. */
  describe(path: string): Promise<FileKind | undefined>;
  /** Regular files below a folder, by relative path, sorted. Links to files count as files; linked folders are not entered, and other things are left out. */
  walk(path: string): Promise<readonly WalkedFile[]>;
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(path: string): Promise<readonly string[]>;
  /** `undefined` when absent. At most `limitBytes`; longer files are refused with a `DiskError` of code `EFBIG`. */
  readText(path: string, limitBytes: number): Promise<string | undefined>;
  /** Makes the folders above it. `mode` counts when the file is new. */
  writeText(path: string, text: string, options?: { mode?: number }): Promise<void>;
  /** Creates the file unless something stands there: a lock between processes. */
  createExclusive(path: string, text: string): Promise<"created" | "exists">;
  rename(source: string, target: string): Promise<void>;
  /** The content from `offset`, read as it is asked for. */
  read(path: string, offset?: number): ByteStream;
  /** Writes a stream to a new file, making the folders above it. */
  write(path: string, content: ByteStream): Promise<void>;
  /** Opens for appending, making the folders above it; the caller closes. Appends go to the system in order. */
  openAppend(path: string): Promise<AppendFile>;
}

export type FileKind =
  | { readonly kind: "file"; readonly sizeBytes: number }
  | { readonly kind: "folder" };

export interface WalkedFile {
  readonly path: string;
  readonly sizeBytes: number;
}

export interface AppendFile extends AsyncDisposable {
  append(bytes: Uint8Array): void;
  close(): Promise<void>;
}
