import type { Body, ByteStream, Result } from "@kelp/base";
import type { EntryPath, TreeName } from "../../ids.ts";
import type { Attributes, Condition, ConditionFailed, Entry } from "./entries.ts";

export interface Files {
  /**
   * Stores the body, then commits the entry. Durable when resolved. The replaced content is freed later.
   * A throwing body stream, a throwing `describe` or an abort leaves the old entry and nothing else.
   */
  writeFile(request: WriteFile): Promise<Result<Entry, WriteRefusal>>;
  /**
   * The bytes `[start, end)` of an entry; a checksum that does not match ends the stream with `FilerError`
   * code `chunk-corrupt`, a missing chunk with `chunk-missing`, both before any of the chunk's bytes are given out.
   * Pieces are the caller's to keep, unless they are asked for `lent`: a lent piece is overwritten any time after the
   * next one was asked for, or the stream was left.
   */
  readFile(entry: Entry, range?: ByteRange, options?: ReadOptions): ByteStream;
}

/** Files that grow at their end. */
export interface Appends {
  /**
   * Puts a body behind the end of an entry, or makes the entry of it. What stands there is neither read nor written again,
   * but small chunks, which are joined now and then, and content that a snapshot goes on with. Durable when resolved; of
   * bodies that are appended at the same time each is there whole, in the order of their commits. When the body, `describe` or
   * the abort fails, the entry stays as it was.
   */
  appendFile(request: AppendFile): Promise<Result<Entry, WriteRefusal>>;
}

export interface ReadOptions {
  /** `kept` when absent. */
  readonly pieces: "kept" | "lent";
}

export interface WriteFile {
  readonly tree: TreeName;
  readonly path: EntryPath;
  /** The pieces of a stream are lent: implementations have done with one when they ask for the next. */
  readonly body: Body;
  /** Called once, after the last byte and before the commit: what the entry says of its body. Throwing refuses the write. */
  readonly describe: (body: BodySummary) => EntryDescription;
  readonly condition?: Condition;
  readonly signal?: AbortSignal;
}

export interface AppendFile extends Omit<WriteFile, "describe" | "condition"> {
  /**
   * As in `WriteFile`, of the body and of the entry that it is put behind, `undefined` when there is none. Called again when
   * that has become another before the commit. Without an `etag` it gets that of an upload of the pieces: a hash of their
   * hashes, and their count.
   */
  readonly describe: (body: BodySummary, before: Entry | undefined) => EntryDescription;
}

export interface BodySummary {
  readonly sizeBytes: number;
  /** 16 bytes. */
  readonly md5: Uint8Array;
}

export interface EntryDescription {
  readonly attributes: Attributes;
  /** Default: the body's MD5 in hex. */
  readonly etag?: string;
  /** Default: the moment of the commit. */
  readonly modifiedMs?: number;
  /** Default: never. */
  readonly expiresMs?: number;
}

/** Half open. `0 ≤ start ≤ end ≤ sizeBytes`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export type WriteRefusal = "no-such-tree" | "quota-exceeded" | ConditionFailed;
