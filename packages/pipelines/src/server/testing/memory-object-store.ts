import { collectBytes, isByteStream } from "@kelp/base";
import { type ObjectInfo, type ObjectStore, ObjectStoreError } from "@kelp/wire";

const OBJECT_BYTES_MAX = 64 * 1024 * 1024;

interface StoredObject {
  readonly info: ObjectInfo;
  readonly bytes: Uint8Array;
}

/** An object store in memory: for tests of rooms that keep things in the store. Streams come in pieces of 1 KiB. */
export function memoryObjectStore(): ObjectStore {
  const buckets = new Map<string, Map<string, StoredObject>>();

  function objectsOf(bucket: string): Map<string, StoredObject> {
    const objects = buckets.get(bucket);
    if (objects !== undefined) return objects;
    throw new ObjectStoreError("no-such-bucket", `There is no bucket ${bucket}`);
  }

  return {
    listBuckets: () => Promise.resolve([...buckets.keys()].map(describeBucket)),
    getBucket: (bucket) =>
      Promise.resolve(buckets.has(bucket) ? describeBucket(bucket) : undefined),
    createBucket(bucket) {
      if (buckets.has(bucket)) return Promise.resolve("exists");
      buckets.set(bucket, new Map());
      return Promise.resolve("created");
    },
    deleteBucket(bucket) {
      buckets.delete(bucket);
      return Promise.resolve();
    },
    setBucketQuota: () => Promise.resolve(),
    async putObject({ bucket, key, body, contentType }) {
      const bytes = isByteStream(body) ? await collectBytes(body, OBJECT_BYTES_MAX) : body.slice();
      if (bytes === undefined) throw new ObjectStoreError("out-of-space", "The object is large");
      const info = {
        key,
        sizeBytes: bytes.length,
        modifiedMs: 0,
        etag: `"${bytes.length}"`,
        contentType: contentType ?? "application/octet-stream",
        userMetadata: {},
        chunkCount: 0,
      };
      objectsOf(bucket).set(key, { info, bytes });
      return info;
    },
    async headObject(bucket, key) {
      return objectsOf(bucket).get(key)?.info;
    },
    async getObject(bucket, key, range) {
      const object = objectsOf(bucket).get(key);
      if (object === undefined) return undefined;
      const { start, end } = range ?? { start: 0, end: object.bytes.length };
      return { info: object.info, body: inPieces(object.bytes.subarray(start, end)) };
    },
    async deleteObject(bucket, key) {
      objectsOf(bucket).delete(key);
    },
    async listObjects(bucket, { prefix = "", after = "", limit }) {
      const found = [...objectsOf(bucket).values()]
        .filter(({ info }) => info.key.startsWith(prefix) && info.key > after)
        .sort((left, right) => (left.info.key < right.info.key ? -1 : 1));
      const items = found.slice(0, limit).map(({ info }) => ({ kind: "object" as const, ...info }));
      return { items, next: found.length > limit ? items.at(-1)?.key : undefined };
    },
    async renameObject(bucket, source, target) {
      const objects = objectsOf(bucket);
      const object = objects.get(source);
      if (object === undefined) throw new ObjectStoreError("no-such-object", "It is absent");
      objects.delete(source);
      objects.set(target, { ...object, info: { ...object.info, key: target } });
    },
  };
}

function describeBucket(name: string) {
  const counts = { sizeBytes: 0, objectCount: 0, chunkCount: 0 };
  return { name, owner: "test", createdMs: 0, ...counts, quotaBytes: undefined };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 1024) {
    yield bytes.subarray(offset, offset + 1024);
  }
}
