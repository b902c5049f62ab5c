import type { Body, ByteStream, Result } from "@kelp/base";
import type { EntryPath, Fid, TreeName, UploadId } from "../ids.ts";

/**
 * The namespace: one ordered map from (tree, path) to entry, with what hangs on it (uploads, usage, a change log),
 * and the bodies of entries. Gateways need nothing else of the store.
 *
 * Implementations must:
 * - commit conditions, quota, usage, entry and change record in one transaction, durable before the promise resolves;
 * - order paths by the bytes of their UTF-8;
 * - make every committed change visible to every call that starts afterwards.
 */
export interface Filer extends Trees, Entries, Files, Uploads, Changes {}

// ---- trees

export interface Trees {
  createTree(request: CreateTree): Promise<Result<Tree, "exists">>;
  getTree(name: TreeName): Promise<Tree | undefined>;
  /** By name, in byte order. */
  listTrees(): Promise<Tree[]>;
  /**
   * Refuses while entries or snapshots exist, unless they are to be discarded; open uploads are aborted with it. The name and
   * the usage are free at once, whatever the tree held; the content is reclaimed in the background.
   */
  deleteTree(
    name: TreeName,
    options?: DeleteTree,
  ): Promise<Result<void, "no-such-tree" | "not-empty">>;
  /** Changes the bounds that are named and leaves the others. Writes over them are refused from the next transaction on. */
  setQuota(name: TreeName, change: QuotaChange): Promise<Result<Tree, "no-such-tree">>;
  /** Replaces the attributes: the gateway's own settings of the tree, such as a bucket's configuration documents. */
  setTreeAttributes(name: TreeName, attributes: Attributes): Promise<Result<Tree, "no-such-tree">>;
}

export interface CreateTree {
  readonly name: TreeName;
  readonly kind: TreeKind;
  /** Name of the identity that made it. */
  readonly owner: string;
  readonly attributes?: Attributes;
}

export interface DeleteTree {
  /** What becomes of entries and snapshots. Default `refuse`. */
  readonly contents: "refuse" | "discard";
}

export type TreeKind = "bucket" | "csi-volume" | "root";

export interface Tree {
  readonly name: TreeName;
  readonly kind: TreeKind;
  readonly owner: string;
  readonly createdMs: number;
  readonly usage: TreeUsage;
  readonly quota: TreeQuota | undefined;
  readonly attributes: Attributes;
}

/**
 * Exact after every transaction. Logical: content that several entries, trees or snapshots share counts in each tree whose
 * entries name it, and what only snapshots see counts nowhere.
 */
export interface TreeUsage {
  /** Of entries and of uploaded parts alike. */
  readonly bytes: number;
  /** Entries alone. */
  readonly entries: number;
  readonly chunks: number;
}

/** A write that would grow a counter beyond its bound is refused; what does not grow it never is. */
export interface TreeQuota {
  readonly bytes?: number;
  readonly entries?: number;
}

/** A number sets the bound, `null` lifts it, absence leaves it as it is. */
export type QuotaChange = { readonly [bound in keyof TreeQuota]?: number | null };

// ---- entries

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

// ---- files: entries with their bodies

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

// ---- multipart uploads

export interface Uploads {
  createUpload(request: CreateUpload): Promise<Result<Upload, "no-such-tree">>;
  getUpload(
    tree: TreeName,
    id: UploadId,
  ): Promise<Result<Upload, "no-such-tree" | "no-such-upload">>;
  /** Replaces a part of the same number. */
  writePart(
    request: WritePart,
  ): Promise<Result<Part, "no-such-tree" | "no-such-upload" | "quota-exceeded">>;
  /** In order of number, those above `afterNumber`. */
  listParts(
    tree: TreeName,
    id: UploadId,
    query: { readonly afterNumber: number; readonly limit: number },
  ): Promise<
    Result<
      { readonly parts: readonly Part[]; readonly isTruncated: boolean },
      "no-such-tree" | "no-such-upload"
    >
  >;
  /** By path in byte order, then by time of creation. */
  listUploads(
    tree: TreeName,
    query: ListUploadsQuery,
  ): Promise<Result<ListUploadsPage, "no-such-tree">>;
  /**
   * Makes one entry of the named parts, in the given order, and closes the upload; parts not named are freed.
   * Completing again with the same parts while the entry still stands returns that entry (lost answers are retried).
   */
  completeUpload(request: CompleteUpload): Promise<Result<Entry, CompleteRefusal>>;
  abortUpload(
    tree: TreeName,
    id: UploadId,
  ): Promise<Result<void, "no-such-tree" | "no-such-upload">>;
}

export interface CreateUpload {
  readonly tree: TreeName;
  readonly path: EntryPath;
  readonly owner: string;
  readonly attributes: Attributes;
}

export interface Upload {
  readonly id: UploadId;
  readonly path: EntryPath;
  readonly owner: string;
  readonly createdMs: number;
  readonly attributes: Attributes;
}

export interface WritePart {
  readonly tree: TreeName;
  readonly id: UploadId;
  readonly number: number;
  /** As in `WriteFile`. */
  readonly body: Body;
  readonly describe: (body: BodySummary) => EntryDescription;
  readonly signal?: AbortSignal;
}

export interface Part {
  readonly number: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly attributes: Attributes;
}

export interface ListUploadsQuery {
  readonly prefix?: string;
  readonly delimiter?: string;
  readonly afterPath?: string;
  /** With `afterPath`: uploads of that very path that come after this id are still included. */
  readonly afterId?: string;
  readonly limit: number;
}

export interface ListUploadsPage {
  readonly items: readonly (
    | { readonly kind: "upload"; readonly upload: Upload }
    | { readonly kind: "prefix"; readonly prefix: string }
  )[];
  readonly next: { readonly path: string; readonly id: string } | undefined;
}

export interface CompleteUpload {
  readonly tree: TreeName;
  readonly id: UploadId;
  /** Ascending numbers; an etag that differs from the stored part refuses. */
  readonly parts: readonly { readonly number: number; readonly etag: string }[];
  /** Smallest size of all parts but the last, in bytes. */
  readonly partBytesMin: number;
  /** Called with the stored parts before the commit. */
  readonly describe: (
    parts: readonly Part[],
    upload: Upload,
  ) => Required<Pick<EntryDescription, "etag" | "attributes">>;
  readonly condition?: Condition;
}

export type CompleteRefusal =
  | "no-such-tree"
  | "no-such-upload"
  | "quota-exceeded"
  | { readonly kind: "invalid-part"; readonly number: number }
  | { readonly kind: "part-too-small"; readonly number: number; readonly sizeBytes: number }
  | ConditionFailed;

// ---- snapshots

/**
 * Frozen states of a tree, and trees that begin as a copy of one. Taking one costs the same whatever the tree holds; from then on
 * the first change of an entry keeps its former row. Content is shared, and freed when nothing names it any more.
 */
export interface Snapshots {
  /** Waits for a prefix job or a copy that still runs on the tree. */
  createSnapshot(
    tree: TreeName,
    name: string,
  ): Promise<Result<Snapshot, "no-such-tree" | "exists" | "too-many">>;
  /** Oldest first. */
  listSnapshots(tree: TreeName): Promise<Result<Snapshot[], "no-such-tree">>;
  /** What only this snapshot sees is reclaimed in the background. */
  deleteSnapshot(
    tree: TreeName,
    name: string,
  ): Promise<Result<void, "no-such-tree" | "no-such-snapshot">>;
  getSnapshotEntry(
    tree: TreeName,
    snapshot: string,
    path: EntryPath,
  ): Promise<Result<Entry, "no-such-tree" | "no-such-snapshot" | "no-such-entry">>;
  listSnapshotEntries(
    tree: TreeName,
    snapshot: string,
    query: ListQuery,
  ): Promise<Result<ListPage, "no-such-tree" | "no-such-snapshot">>;
  /**
   * Makes a tree that holds what `source` holds, or held at the snapshot: complete to readers and writers at once, while its rows
   * are copied in the background. It has the kind, attributes and quota of the source, and usage of its own.
   */
  cloneTree(
    request: CloneTree,
  ): Promise<Result<Tree, "no-such-tree" | "no-such-snapshot" | "exists">>;
}

export interface Snapshot {
  readonly name: string;
  readonly createdMs: number;
  /** The changes up to this position are in it. */
  readonly position: number;
  /** Of the entries in it; parts of uploads are not. */
  readonly usage: TreeUsage;
}

export interface CloneTree {
  readonly source: TreeName;
  /** Default: the tree as it is now. */
  readonly snapshot?: string;
  readonly target: TreeName;
  readonly owner: string;
}

// ---- change log

export interface Changes {
  /** Committed changes after `position`, oldest first. Positions have gaps, never repeats. */
  readChanges(query: { readonly after: number; readonly limit: number }): Promise<Change[]>;
}

export interface ChangeFeed extends Changes {
  /**
   * Every change after a position, and then each new one as it is committed, until `signal` aborts or the consumer leaves. A slow
   * consumer holds one page in memory; one that falls behind what the log keeps is told `position-gone`, and the stream ends.
   */
  subscribe(query: Subscribe): AsyncIterable<FeedItem>;
}

export interface Subscribe {
  /** Of the last change that was dealt with; 0 for all that is kept. */
  readonly after: number;
  /** Only trees whose name starts with this. */
  readonly treePrefix?: string;
  readonly signal: AbortSignal;
}

export type FeedItem =
  | { readonly kind: "change"; readonly change: Change }
  /** All up to `position` was given or filtered out: a consumer may resume there. */
  | { readonly kind: "caught-up"; readonly position: number }
  /** Changes after the wanted position are no longer kept; the first that is left comes after `keptAfter`. */
  | { readonly kind: "position-gone"; readonly keptAfter: number };

export interface Change {
  readonly position: number;
  readonly atMs: number;
  readonly kind: ChangeKind;
  readonly tree: TreeName;
  /** Path, prefix (of the prefix kinds) or snapshot's name; "" for trees. */
  readonly path: string;
  /** Where a renamed entry or prefix went; the tree that a clone was made of; "" otherwise. */
  readonly target: string;
  readonly sizeBytes: number;
  readonly etag: string;
}

/** A prefix kind stands for all entries below the prefix: they have no changes of their own. */
export type ChangeKind =
  | "put"
  | "delete"
  | "rename"
  | "rename-prefix"
  | "delete-prefix"
  | "create-tree"
  | "clone-tree"
  | "delete-tree"
  | "create-snapshot"
  | "delete-snapshot";

/** The filer with what goes beyond the needs of a gateway. */
export interface Namespace extends Filer, Appends, Snapshots, ChangeFeed {}
