import {
  type Filer,
  type ObjectStore,
  ObjectStoreError,
  type WriteRefusal,
  parseBucketName,
  parseEntryPath,
  ENTRY_PATH_BYTES_MAX,
  type EntryPath,
} from "@kelp/wire";
import { toS3Error } from "../operations/refusals.ts";
import { bucketInfo, bucketName, noSuchBucket, requireBucket } from "./buckets.ts";
import { createObjectReads, currentState, objectInfo } from "./object-reads.ts";

export interface ObjectStoreOptions {
  readonly filer: Filer;
}

/**
 * The store as rooms of the same process use it: names, ETags and attributes are those that S3 clients see.
 * It does not authorise. Throws `ObjectStoreError`; other failures of the store pass through.
 */
export function createObjectStore({ filer }: ObjectStoreOptions): ObjectStore {
  return {
    ...createObjectReads(filer, currentState(filer)),

    async listBuckets() {
      const trees = await filer.listTrees();
      return trees.filter((tree) => tree.kind === "bucket").map(bucketInfo);
    },

    async getBucket(bucket) {
      const name = parseBucketName(bucket);
      const tree = name === undefined ? undefined : await filer.getTree(name);
      return tree?.kind === "bucket" ? bucketInfo(tree) : undefined;
    },

    async createBucket(bucket, owner) {
      const created = await filer.createTree({ name: bucketName(bucket), kind: "bucket", owner });
      return created.kind === "ok" ? "created" : "exists";
    },

    async deleteBucket(bucket, options) {
      const name = await requireBucket(filer, bucket);
      const deleted = await filer.deleteTree(name, options);
      if (deleted.kind === "ok") return;
      if (deleted.refusal === "no-such-tree") throw noSuchBucket(bucket);
      throw new ObjectStoreError(
        "bucket-not-empty",
        `Cannot delete bucket ${bucket}: objects or snapshots are in it`,
      );
    },

    async setBucketQuota(bucket, { sizeBytes, objectCount }) {
      const name = await requireBucket(filer, bucket);
      const changed = await filer.setQuota(name, {
        ...(sizeBytes !== undefined && { bytes: sizeBytes }),
        ...(objectCount !== undefined && { entries: objectCount }),
      });
      if (changed.kind === "refused") throw noSuchBucket(bucket);
    },

    async putObject({ bucket, key, body, contentType, signal }) {
      const tree = await requireBucket(filer, bucket);
      const attributes = contentType === undefined ? {} : { "content-type": contentType };
      const written = await withStoreErrors(() =>
        filer.writeFile({
          tree,
          path: objectKey(key),
          body,
          describe: () => ({ attributes }),
          ...(signal !== undefined && { signal }),
        }),
      );
      if (written.kind === "ok") return objectInfo(written.value);
      throw writeRefused(written.refusal, bucket, key);
    },

    async deleteObject(bucket, key) {
      const tree = await requireBucket(filer, bucket);
      const deleted = await filer.deleteEntry({ tree, path: objectKey(key) });
      if (deleted.kind === "refused") throw noSuchBucket(bucket);
    },

    async deleteObjects(bucket, prefix) {
      const tree = await requireBucket(filer, bucket);
      const deleted = await filer.deletePrefix(tree, prefix);
      if (deleted.kind === "refused") throw noSuchBucket(bucket);
    },

    async renameObject(bucket, source, target) {
      const tree = await requireBucket(filer, bucket);
      const renamed = await filer.renameEntry(tree, objectKey(source), objectKey(target));
      if (renamed.kind === "ok") return;
      if (renamed.refusal === "no-such-tree") throw noSuchBucket(bucket);
      throw noSuchObject(bucket, source);
    },
  };
}

/** A full disk is an outcome that callers act on; everything else that fails passes as it is. */
async function withStoreErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (toS3Error(cause).code !== "StorageFull") throw cause;
    throw new ObjectStoreError("out-of-space", "Cannot write object: the store has no space", {
      cause,
    });
  }
}

function objectKey(key: string): EntryPath {
  const path = parseEntryPath(key);
  if (path !== undefined) return path;
  throw new ObjectStoreError(
    "invalid-key",
    `Cannot use object key: wanted 1 to ${ENTRY_PATH_BYTES_MAX} bytes without NUL`,
  );
}

function noSuchObject(bucket: string, key: string): ObjectStoreError {
  return new ObjectStoreError("no-such-object", `Cannot use ${bucket}/${key}: it does not exist`);
}

function writeRefused(refusal: WriteRefusal, bucket: string, key: string): ObjectStoreError {
  if (refusal === "no-such-tree") return noSuchBucket(bucket);
  if (refusal === "quota-exceeded") {
    return new ObjectStoreError("quota-exceeded", `Cannot write to ${bucket}: quota exceeded`);
  }
  return noSuchObject(bucket, key);
}
