import type { Body, ByteStream } from "@kelp/base";
import type { ByteRange } from "./filer/files.ts";
import type { DeleteTree } from "./filer/trees.ts";

/**
 * Buckets and objects inside the process, with the meaning they have over S3 (the same naming, ETag and headers), for
 * rooms that keep things in the store: pipelines' artifacts and logs, the console's object pages.
 * Access is the caller's business: this port does not authorise.
 *
 * Implementations throw `ObjectStoreError` when a thing named is absent or the store refuses.
 */
export interface ObjectStore extends ObjectReads {
  listBuckets(): Promise<BucketInfo[]>;
  getBucket(bucket: string): Promise<BucketInfo | undefined>;
  /** `exists` when it is there already. */
  createBucket(bucket: string, owner: string): Promise<"created" | "exists">;
  /**
   * Refuses with `bucket-not-empty` while objects or snapshots are in it, unless they are to be discarded: then name and usage are
   * free at once, and the space is reclaimed in the background.
   */
  deleteBucket(bucket: string, options?: DeleteTree): Promise<void>;
  /** Changes the bounds that are named and leaves the others. */
  setBucketQuota(bucket: string, change: BucketQuotaChange): Promise<void>;
  putObject(request: PutObject): Promise<ObjectInfo>;
  deleteObject(bucket: string, key: string): Promise<void>;
  /** Deletes all objects whose key begins with `prefix`; to readers all at once, their usage and space in the background. */
  deleteObjects(bucket: string, prefix: string): Promise<void>;
  /** Moves one object inside a bucket; the content is not copied. */
  renameObject(bucket: string, source: string, target: string): Promise<void>;
}

/** Reading what a bucket holds, or held at a snapshot. */
export interface ObjectReads {
  headObject(bucket: string, key: string): Promise<ObjectInfo | undefined>;
  getObject(
    bucket: string,
    key: string,
    range?: ByteRange,
  ): Promise<{ info: ObjectInfo; body: ByteStream } | undefined>;
  listObjects(bucket: string, query: ListObjectsQuery): Promise<ObjectPage>;
}

/**
 * Frozen states of buckets, and buckets that begin as a copy of one. As with `ObjectStore`, access is the caller's business, and
 * refusals are `ObjectStoreError`s.
 */
export interface BucketCopies {
  /** Refuses with `invalid-snapshot-name`, `snapshot-exists` and `too-many-snapshots`. */
  createSnapshot(bucket: string, name: string): Promise<SnapshotInfo>;
  /** Oldest first. */
  listSnapshots(bucket: string): Promise<SnapshotInfo[]>;
  /** What only this snapshot holds is reclaimed in the background. */
  deleteSnapshot(bucket: string, name: string): Promise<void>;
  /** The bucket as it was at the snapshot; calls throw `no-such-snapshot` when it is not there. */
  atSnapshot(name: string): ObjectReads;
  /** Makes a bucket with the objects, attributes and quota of the source: whole at once, with usage of its own. */
  cloneBucket(request: CloneBucket): Promise<"created" | "exists">;
}

export interface SnapshotInfo {
  readonly name: string;
  readonly createdMs: number;
  /** Of the objects in it. */
  readonly sizeBytes: number;
  readonly objectCount: number;
}

export interface CloneBucket {
  readonly source: string;
  /** Default: the bucket as it is now. */
  readonly snapshot?: string;
  readonly target: string;
  readonly owner: string;
}

/** A number sets the bound, `null` lifts it, absence leaves it as it is. */
export interface BucketQuotaChange {
  readonly sizeBytes?: number | null;
  readonly objectCount?: number | null;
}

export interface BucketInfo {
  readonly name: string;
  readonly owner: string;
  readonly createdMs: number;
  readonly sizeBytes: number;
  readonly objectCount: number;
  readonly chunkCount: number;
  readonly quotaBytes: number | undefined;
  readonly quotaObjects: number | undefined;
}

export interface PutObject {
  readonly bucket: string;
  readonly key: string;
  readonly body: Body;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly contentType: string;
  readonly userMetadata: Readonly<Record<string, string>>;
  readonly chunkCount: number;
}

export interface ListObjectsQuery {
  readonly prefix?: string;
  readonly delimiter?: string;
  readonly after?: string;
  readonly limit: number;
}

export interface ObjectPage {
  readonly items: readonly (
    | {
        readonly kind: "object";
        readonly key: string;
        readonly sizeBytes: number;
        readonly modifiedMs: number;
        readonly etag: string;
        readonly chunkCount: number;
      }
    | { readonly kind: "prefix"; readonly prefix: string }
  )[];
  readonly next: string | undefined;
}

export type ObjectStoreErrorCode =
  | "no-such-bucket"
  | "no-such-object"
  | "bucket-not-empty"
  | "invalid-bucket-name"
  | "invalid-key"
  | "quota-exceeded"
  | "out-of-space"
  | "no-such-snapshot"
  | "snapshot-exists"
  | "invalid-snapshot-name"
  | "too-many-snapshots";

export class ObjectStoreError extends Error {
  override readonly name = "ObjectStoreError";
  readonly code: ObjectStoreErrorCode;

  constructor(code: ObjectStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
