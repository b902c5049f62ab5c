import {
  type BucketInfo,
  ENTRY_PATH_BYTES_MAX,
  type Entry,
  type EntryPath,
  type Filer,
  LIST_KEYS_MAX,
  type ObjectInfo,
  type ObjectStore,
  ObjectStoreError,
  type Tree,
  type TreeName,
  type WriteRefusal,
  parseBucketName,
  parseEntryPath,
} from "@kelp/wire";
import { DEFAULT_CONTENT_TYPE, userMetadata } from "../http/attributes.ts";
import { toS3Error } from "../operations/refusals.ts";

export interface ObjectStoreOptions {
  readonly filer: Filer;
}

/**
 * The store as rooms of the same process use it: names, ETags and attributes are those that S3 clients see.
 * It does not authorise. Throws `ObjectStoreError`; other failures of the store pass through.
 */
export function createObjectStore({ filer }: ObjectStoreOptions): ObjectStore {
  return {
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

    async deleteBucket(bucket) {
      const name = await requireBucket(filer, bucket);
      const deleted = await filer.deleteTree(name);
      if (deleted.kind === "ok") return;
      if (deleted.refusal === "no-such-tree") throw noSuchBucket(bucket);
      throw new ObjectStoreError("bucket-not-empty", `Cannot delete bucket ${bucket}: not empty`);
    },

    async setBucketQuota(bucket, quotaBytes) {
      const name = await requireBucket(filer, bucket);
      const quota = quotaBytes === undefined ? undefined : { bytes: quotaBytes };
      const changed = await filer.setQuota(name, quota);
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

    async headObject(bucket, key) {
      const entry = await findEntry(filer, bucket, key);
      return entry === undefined ? undefined : objectInfo(entry);
    },

    async getObject(bucket, key, range) {
      const entry = await findEntry(filer, bucket, key);
      if (entry === undefined) return undefined;
      return { info: objectInfo(entry), body: filer.readFile(entry, range) };
    },

    async deleteObject(bucket, key) {
      const tree = await requireBucket(filer, bucket);
      const deleted = await filer.deleteEntry({ tree, path: objectKey(key) });
      if (deleted.kind === "refused") throw noSuchBucket(bucket);
    },

    async listObjects(bucket, query) {
      const tree = await requireBucket(filer, bucket);
      const listed = await filer.listEntries(tree, {
        limit: Math.min(Math.max(1, query.limit), LIST_KEYS_MAX),
        ...(query.prefix !== undefined && { prefix: query.prefix }),
        ...(query.delimiter !== undefined && { delimiter: query.delimiter }),
        ...(query.after !== undefined && { after: query.after }),
      });
      if (listed.kind === "refused") throw noSuchBucket(bucket);
      return {
        items: listed.value.items.map((item) => {
          if (item.kind === "prefix") return item;
          const { path, sizeBytes, modifiedMs, etag, chunkCount } = item;
          return { kind: "object", key: path, sizeBytes, modifiedMs, etag, chunkCount };
        }),
        next: listed.value.next,
      };
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

/** Only a tree of kind bucket is a bucket. */
async function requireBucket(filer: Filer, bucket: string): Promise<TreeName> {
  const name = parseBucketName(bucket);
  const tree = name === undefined ? undefined : await filer.getTree(name);
  if (tree?.kind !== "bucket") throw noSuchBucket(bucket);
  return tree.name;
}

async function findEntry(filer: Filer, bucket: string, key: string): Promise<Entry | undefined> {
  const tree = await requireBucket(filer, bucket);
  const path = parseEntryPath(key);
  if (path === undefined) return undefined;
  const found = await filer.getEntry(tree, path);
  if (found.kind === "ok") return found.value;
  if (found.refusal === "no-such-tree") throw noSuchBucket(bucket);
  return undefined;
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

function bucketName(bucket: string): TreeName {
  const name = parseBucketName(bucket);
  if (name !== undefined) return name;
  throw new ObjectStoreError(
    "invalid-bucket-name",
    `Cannot use ${bucket} as bucket name: it takes 3 to 63 lowercase letters, digits, dots and hyphens`,
  );
}

function objectKey(key: string): EntryPath {
  const path = parseEntryPath(key);
  if (path !== undefined) return path;
  throw new ObjectStoreError(
    "invalid-key",
    `Cannot use object key: wanted 1 to ${ENTRY_PATH_BYTES_MAX} bytes without NUL`,
  );
}

function noSuchBucket(bucket: string): ObjectStoreError {
  return new ObjectStoreError("no-such-bucket", `Cannot use bucket ${bucket}: it does not exist`);
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

function bucketInfo(tree: Tree): BucketInfo {
  return {
    name: tree.name,
    owner: tree.owner,
    createdMs: tree.createdMs,
    sizeBytes: tree.usage.bytes,
    objectCount: tree.usage.entries,
    chunkCount: tree.usage.chunks,
    quotaBytes: tree.quota?.bytes,
  };
}

function objectInfo(entry: Entry): ObjectInfo {
  return {
    key: entry.path,
    sizeBytes: entry.sizeBytes,
    modifiedMs: entry.modifiedMs,
    etag: entry.etag,
    contentType: entry.attributes["content-type"] ?? DEFAULT_CONTENT_TYPE,
    userMetadata: userMetadata(entry.attributes),
    chunkCount: entry.content.kind === "chunks" ? entry.content.chunks.length : 0,
  };
}
