import {
  type BucketInfo,
  ObjectStoreError,
  type Tree,
  type TreeName,
  type Trees,
  parseBucketName,
} from "@kelp/wire";

/** Only a tree of kind bucket is a bucket. Throws `no-such-bucket`. */
export async function requireBucket(
  filer: Pick<Trees, "getTree">,
  bucket: string,
): Promise<TreeName> {
  const name = parseBucketName(bucket);
  const tree = name === undefined ? undefined : await filer.getTree(name);
  if (tree?.kind !== "bucket") throw noSuchBucket(bucket);
  return tree.name;
}

/** Throws `invalid-bucket-name`. */
export function bucketName(bucket: string): TreeName {
  const name = parseBucketName(bucket);
  if (name !== undefined) return name;
  throw new ObjectStoreError(
    "invalid-bucket-name",
    `Cannot use ${bucket} as bucket name: it takes 3 to 63 lowercase letters, digits, dots and hyphens`,
  );
}

export function noSuchBucket(bucket: string): ObjectStoreError {
  return new ObjectStoreError("no-such-bucket", `Cannot use bucket ${bucket}: it does not exist`);
}

export function bucketInfo(tree: Tree): BucketInfo {
  return {
    name: tree.name,
    owner: tree.owner,
    createdMs: tree.createdMs,
    sizeBytes: tree.usage.bytes,
    objectCount: tree.usage.entries,
    chunkCount: tree.usage.chunks,
    quotaBytes: tree.quota?.bytes,
    quotaObjects: tree.quota?.entries,
  };
}
