import type { Body, ByteStream } from "@kelp/base";
import type { ByteRange } from "./filer.ts";

/**
 * Buckets and objects inside the process, with the meaning they have over S3 (the same naming, ETag and headers), for
 * rooms that keep things in the store: pipelines' artifacts and logs, the console's object pages.
 * Access is the caller's business: this port does not authorise.
 *
 * Implementations throw `ObjectStoreError` when a thing named is absent or the store refuses.
 */
export interface ObjectStore {
  listBuckets(): Promise<BucketInfo[]>;
  getBucket(bucket: string): Promise<BucketInfo | undefined>;
  /** `exists` when it is there already. */
  createBucket(bucket: string, owner: string): Promise<"created" | "exists">;
  deleteBucket(bucket: string): Promise<void>;
  setBucketQuota(bucket: string, quotaBytes: number | undefined): Promise<void>;
  putObject(request: PutObject): Promise<ObjectInfo>;
  headObject(bucket: string, key: string): Promise<ObjectInfo | undefined>;
  getObject(
    bucket: string,
    key: string,
    range?: ByteRange,
  ): Promise<{ info: ObjectInfo; body: ByteStream } | undefined>;
  deleteObject(bucket: string, key: string): Promise<void>;
  listObjects(bucket: string, query: ListObjectsQuery): Promise<ObjectPage>;
  /** Moves one object inside a bucket; the content is not copied. */
  renameObject(bucket: string, source: string, target: string): Promise<void>;
}

export interface BucketInfo {
  readonly name: string;
  readonly owner: string;
  readonly createdMs: number;
  readonly sizeBytes: number;
  readonly objectCount: number;
  readonly chunkCount: number;
  readonly quotaBytes: number | undefined;
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
  | "out-of-space";

export class ObjectStoreError extends Error {
  override readonly name = "ObjectStoreError";
  readonly code: ObjectStoreErrorCode;

  constructor(code: ObjectStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
