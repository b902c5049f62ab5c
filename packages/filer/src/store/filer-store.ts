import type { Result } from "@kelp/base";
import type {
  Attributes,
  Changes,
  Chunk,
  CompleteRefusal,
  CompleteUpload,
  Condition,
  Content,
  Entries,
  Entry,
  EntryPath,
  Fid,
  Part,
  Snapshots,
  TreeName,
  Trees,
  UploadId,
  Uploads,
  VolumeId,
  WriteRefusal,
} from "@kelp/wire";

/**
 * What the filer needs of a metadata store. Bodies never pass through here, only inline content and chunk lists.
 *
 * Implementations must:
 * - make each call one transaction: conditions, quota, usage, rows, change record, garbage; durable when resolved;
 * - order paths by the bytes of their UTF-8;
 * - keep a reference row for every chunk that an entry or part names, and refuse to name a chunk twice;
 * - throw `FilerError` with `out-of-space`, `store-failed`, `overloaded` or `closed` when nothing was changed.
 */
export interface FilerStore
  extends
    Trees,
    EntryCalls,
    PrefixCalls,
    Snapshots,
    UploadCalls,
    ChangeLog,
    Background,
    References,
    Disposable {}

/** Single entries, and lists of them. */
export interface EntryCalls extends Omit<Entries, keyof PrefixCalls> {
  /** Whether a write could commit as things are; the commit decides again. */
  admits(request: Admission): Result<void, WriteRefusal>;
  putEntry(request: PutEntry): Promise<Result<Entry, WriteRefusal>>;
  /**
   * Puts an entry that goes on with chunks of the one that stands there: they are not named a second time, and not freed.
   * `content-shared` when somebody else, such as a snapshot, goes on with the content as it is.
   */
  extendEntry(request: ExtendEntry): Promise<Result<Entry, WriteRefusal | "content-shared">>;
}

/** All entries below a prefix at once. */
export type PrefixCalls = Pick<Entries, "renamePrefix" | "deletePrefix">;

export interface UploadCalls extends Omit<Uploads, "writePart" | "completeUpload"> {
  putPart(
    request: PutPart,
  ): Promise<Result<Part, "no-such-tree" | "no-such-upload" | "quota-exceeded">>;
  /** The list that a completion would make, if it has more than `recordsMax` records; `undefined` if not, or if it would refuse. */
  joinedParts(request: CompleteUpload, recordsMax: number): Promise<JoinedParts | undefined>;
  /** `parts-changed` when the parts are not those that were folded. */
  completeUpload(request: CompleteParts): Promise<Result<Entry, CompleteRefusal | "parts-changed">>;
}

export interface Admission {
  readonly tree: TreeName;
  /** What the write puts in the place of what is there. */
  readonly target:
    | { readonly kind: "entry"; readonly path: EntryPath }
    | { readonly kind: "part"; readonly id: UploadId; readonly number: number };
  readonly sizeBytes: number;
  readonly condition?: Condition | undefined;
}

export interface PutEntry {
  readonly tree: TreeName;
  readonly path: EntryPath;
  readonly content: Content;
  /** Chunks that stand in manifests of the content: named with it for the first time, like those of the content itself. */
  readonly listed?: readonly Chunk[];
  readonly sizeBytes: number;
  readonly etag: string;
  readonly attributes: Attributes;
  /** Default: the moment of the commit. */
  readonly modifiedMs: number | undefined;
  /** Default: never. */
  readonly expiresMs: number | undefined;
  readonly condition: Condition | undefined;
}

export interface ExtendEntry extends Omit<PutEntry, "content" | "condition"> {
  readonly content: Extract<Content, { readonly kind: "chunks" }>;
  /** Of the chunks that the standing entry lists, those that the content still names, in its list or in its manifests. */
  readonly kept: readonly Chunk[];
  /** Of the standing entry: its content is what `kept` is of. */
  readonly position: number;
}

export interface PutPart {
  readonly tree: TreeName;
  readonly id: UploadId;
  readonly number: number;
  readonly chunks: readonly Chunk[];
  /** As in `PutEntry`. */
  readonly listed?: readonly Chunk[];
  readonly sizeBytes: number;
  readonly etag: string;
  readonly attributes: Attributes;
  readonly modifiedMs: number | undefined;
}

/** A completion, with the list of its parts where that was too long to be kept. */
export interface CompleteParts extends CompleteUpload {
  readonly folded?: FoldedParts;
}

export interface FoldedParts {
  /** In the place of the parts' own lists, which manifests of these hold. */
  readonly chunks: readonly Chunk[];
  /** Every manifest that was stored for it: named with the entry for the first time. */
  readonly manifests: readonly Chunk[];
  /** Of `JoinedParts`: other parts are not what was folded. */
  readonly partsDigest: string;
}

export interface JoinedParts {
  readonly chunks: readonly Chunk[];
  /** Tells these very parts from others of the same numbers. */
  readonly partsDigest: string;
}

/** The change log, and what it takes to follow it. */
export interface ChangeLog extends Changes {
  /** `newest` is the position of the newest change; those up to `keptAfter` may be gone. */
  changeBounds(): { readonly newest: number; readonly keptAfter: number };
  /** `listener` is called after each commit, synchronously; it must not throw. Disposing ends it. */
  watchCommits(listener: () => void): Disposable;
}

/** Work that was promised to callers and is done after their answers. */
export interface Background {
  /** One bounded transaction of it: rows of dropped trees and uploads, prefixes, copies, lifetimes. False when there was nothing. */
  reclaim(): Promise<boolean>;
}

/** Which chunks are named, and which wait to be freed. */
export interface References {
  /** Queues chunks that no entry or part names. */
  addGarbage(chunks: readonly Chunk[]): Promise<void>;
  /** Content freed at or before `freedMsMax`, oldest first, those above `afterId`. */
  listGarbage(query: {
    readonly freedMsMax: number;
    readonly afterId: number;
    readonly limit: number;
  }): readonly Garbage[];
  dropGarbage(ids: readonly number[]): Promise<void>;
  /** Removes the references of chunks that only a freed manifest lists: the caller removes them, however often it must begin anew. */
  forgetListed(chunks: readonly Chunk[]): Promise<void>;
  isReferenced(fid: Fid): boolean;
  /** Chunks of a volume that entries and parts name, by needle, those above `after`. */
  listReferences(query: {
    readonly volumeId: VolumeId;
    readonly after: Fid | undefined;
    readonly limit: number;
  }): readonly Chunk[];
  referenceCount(): number;
  /** What all entries and parts are made of, every byte of it checked, in an order of the store's own. */
  scanContents(): Iterable<NamedContent>;
  /** Contents whose count of holders differs from the rows that name them. */
  countHolders(): readonly HolderCheck[];
  /** Usage counted afresh from the rows, beside what the counters say. */
  countUsage(): readonly UsageCheck[];
}

export interface Garbage {
  readonly id: number;
  readonly chunks: readonly Chunk[];
}

export interface NamedContent {
  readonly owner: string;
  readonly sizeBytes: number;
  readonly chunks: readonly Chunk[];
  /** Bytes that stand in the entry itself. Absent: none. */
  readonly inlineBytes?: number;
  /** Rows that name this very content, this one among them. */
  readonly holders: number;
  /** Why it cannot be read. Then `chunks` is empty. */
  readonly damage?: string;
}

export interface HolderCheck {
  readonly contentId: number;
  /** What the store believes, and what was counted. */
  readonly holders: number;
  readonly counted: number;
}

export interface UsageCheck {
  readonly tree: TreeName;
  readonly counter: { readonly bytes: number; readonly entries: number; readonly chunks: number };
  readonly counted: { readonly bytes: number; readonly entries: number; readonly chunks: number };
}
