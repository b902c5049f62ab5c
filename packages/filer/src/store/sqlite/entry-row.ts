import type { EntryPath } from "@kelp/wire";

/** An entry without its content. Attributes are still text: most operations only pass them on. */
export interface EntryRow {
  readonly path: EntryPath;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly chunkCount: number;
  readonly position: number;
  readonly contentId: number;
  readonly attributes: string;
  /** 0 is never. */
  readonly expiresMs: number;
  /** Of a row as it was read; null when it has none. What is written gets a new one. */
  readonly sum?: number | null;
}
