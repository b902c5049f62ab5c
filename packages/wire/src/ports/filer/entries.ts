import type { Result } from "@kelp/base";
import type { EntryPath, Fid, TreeName } from "../../ids.ts";

/** Names of a gateway's choosing, such as `content-type` or `x-amz-meta-colour`, with text values. */
export type Attributes = Readonly<Record<string, string>>;

export interface Entry {
  readonly path: EntryPath;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Without quotes: MD5 in hex, or `<hex>-<parts>` of a multipart upload. */
  readonly etag: string;
  readonly attributes: Attributes;
  readonly content: Content;
  /** Position of the change that wrote this entry: strictly increasing, so never equal for two writes. */
  readonly position: number;
  /** From then on the entry is absent to every reader; removed in the background. */
  readonly expiresMs?: number;
}

/** What is known of an entry without its content. */
export type EntryHead = Omit<Entry, "content">;

/** Small content stands in the entry; all else is in chunks, in order, without gaps. */
export type Content =
  | { readonly kind: "inline"; readonly bytes: Uint8Array }
  | { readonly kind: "chunks"; readonly chunks: readonly Chunk[] };

export interface Chunk {
  readonly fid: Fid;
  /** Bytes of content. What is stored is longer where the chunk is sealed, and a list where it is a manifest. */
  readonly sizeBytes: number;
  /** xxHash3 of the stored bytes, known from when they were stored: a reader may check it in place of the needle's own checksum. */
  readonly hash64?: bigint;
  /** The chunk's data key, wrapped by the key ring: the stored bytes are sealed with it. */
  readonly sealedKey?: Uint8Array;
  /** The stored bytes are the list of the chunks that hold the content. */
  readonly isManifest?: true;
}

export interface Entries {
  getEntry(
    tree: TreeName,
    path: EntryPath,
  ): Promise<Result<Entry, "no-such-tree" | "no-such-entry">>;
  /** As `getEntry`; the content is neither read nor checked. */
  headEntry(
    tree: TreeName,
    path: EntryPath,
  ): Promise<Result<EntryHead, "no-such-tree" | "no-such-entry">>;
  deleteEntry(
    request: DeleteEntry,
  ): Promise<Result<DeletedEntry, "no-such-tree" | ConditionFailed>>;
  listEntries(tree: TreeName, query: ListQuery): Promise<Result<ListPage, "no-such-tree">>;
  /** Replaces the attributes of an entry, content untouched. */
  setEntryAttributes(
    tree: TreeName,
    path: EntryPath,
    change: { readonly attributes: Attributes; readonly condition?: Condition },
  ): Promise<Result<Entry, "no-such-tree" | "no-such-entry" | ConditionFailed>>;
  /** Moves one entry, replacing the target. Both paths in one tree. */
  renameEntry(
    tree: TreeName,
    source: EntryPath,
    target: EntryPath,
  ): Promise<Result<Entry, "no-such-tree" | "no-such-entry">>;
  /**
   * Moves every entry whose path starts with `sourcePrefix`; to readers all of them at once. Above `TRANSACTION_OPERATIONS_MAX`
   * entries the rows follow in the background, `moved` is `undefined`, no entry may stand below `targetPrefix`
   * (`target-exists`), and neither prefix may begin with the other (`too-many`).
   */
  renamePrefix(
    tree: TreeName,
    sourcePrefix: string,
    targetPrefix: string,
  ): Promise<
    Result<
      { readonly moved: number | undefined },
      "no-such-tree" | "no-such-entry" | "too-many" | "target-exists"
    >
  >;
  /**
   * Deletes every entry whose path starts with `prefix`; to readers all of them at once. The rows, and their part of
   * the usage, follow in the background.
   */
  deletePrefix(tree: TreeName, prefix: string): Promise<Result<void, "no-such-tree">>;
}

export interface DeleteEntry {
  readonly tree: TreeName;
  readonly path: EntryPath;
  readonly condition?: Condition;
}

/** `existed` is false when there was nothing: to S3 that is a success too. */
export interface DeletedEntry {
  readonly existed: boolean;
}

/** What must hold of the current entry at the moment of the commit. */
export type Condition =
  | { readonly kind: "absent" }
  | { readonly kind: "present" }
  | { readonly kind: "etag"; readonly etags: readonly string[] }
  | { readonly kind: "position"; readonly position: number };

export interface ConditionFailed {
  readonly kind: "condition-failed";
  /** False when the condition needed an entry and there is none. */
  readonly exists: boolean;
}

export interface ListQuery {
  readonly prefix?: string;
  /** Paths that share the text up to the first delimiter after the prefix are rolled up into one prefix item. */
  readonly delimiter?: string;
  /** Only items that sort after this text; a rolled-up prefix counts as its own text. */
  readonly after?: string;
  /** 1 … `LIST_KEYS_MAX`. */
  readonly limit: number;
}

export interface ListPage {
  /** Entries and prefixes merged, in byte order. */
  readonly items: readonly ListItem[];
  /** Give it as `after` for the next page; absent on the last page. */
  readonly next: string | undefined;
}

export type ListItem =
  | {
      readonly kind: "entry";
      readonly path: string;
      readonly sizeBytes: number;
      readonly modifiedMs: number;
      readonly etag: string;
      readonly chunkCount: number;
    }
  | { readonly kind: "prefix"; readonly prefix: string };
