import { type Body, type ByteStream, isByteStream } from "@kelp/base";
import {
  type BucketInfo,
  type ByteRange,
  type DeleteTree,
  type ListObjectsQuery,
  type ObjectInfo,
  type ObjectPage,
  type ObjectStore,
  ObjectStoreError,
  type PutObject,
  parseBucketName,
} from "@kelp/wire";

interface Stored {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly modifiedMs: number;
}

/** An object store in memory with the meaning that the port gives: for tests of rooms that keep things in one. */
export class MemoryObjectStore implements ObjectStore {
  readonly #buckets = new Map<string, Map<string, Stored>>();
  #clockMs = 0;

  async listBuckets(): Promise<BucketInfo[]> {
    return [...this.#buckets.keys()].sort().map((name) => this.#info(name));
  }

  async getBucket(bucket: string): Promise<BucketInfo | undefined> {
    return this.#buckets.has(bucket) ? this.#info(bucket) : undefined;
  }

  async createBucket(bucket: string): Promise<"created" | "exists"> {
    if (parseBucketName(bucket) === undefined) {
      throw new ObjectStoreError("invalid-bucket-name", `Cannot create bucket ${bucket}`);
    }
    if (this.#buckets.has(bucket)) return "exists";
    this.#buckets.set(bucket, new Map());
    return "created";
  }

  async deleteBucket(bucket: string, options?: DeleteTree): Promise<void> {
    if (this.#objects(bucket).size > 0 && options?.contents !== "discard") {
      throw new ObjectStoreError("bucket-not-empty", `Cannot delete bucket ${bucket}: not empty`);
    }
    this.#buckets.delete(bucket);
  }

  async setBucketQuota(bucket: string): Promise<void> {
    this.#objects(bucket);
  }

  async putObject(request: PutObject): Promise<ObjectInfo> {
    const objects = this.#objects(request.bucket);
    if (request.key === "")
      throw new ObjectStoreError("invalid-key", "Cannot put an object: no key");
    const bytes = await bytesOf(request.body);
    request.signal?.throwIfAborted();
    const contentType = request.contentType ?? "application/octet-stream";
    const stored = { bytes, contentType, modifiedMs: ++this.#clockMs };
    objects.set(request.key, stored);
    return objectInfo(request.key, stored);
  }

  async headObject(bucket: string, key: string): Promise<ObjectInfo | undefined> {
    const stored = this.#objects(bucket).get(key);
    return stored === undefined ? undefined : objectInfo(key, stored);
  }

  async getObject(
    bucket: string,
    key: string,
    range?: ByteRange,
  ): Promise<{ info: ObjectInfo; body: ByteStream } | undefined> {
    const stored = this.#objects(bucket).get(key);
    if (stored === undefined) return undefined;
    const bytes = stored.bytes.subarray(range?.start, range?.end);
    return { info: objectInfo(key, stored), body: once(bytes) };
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    this.#objects(bucket).delete(key);
  }

  async deleteObjects(bucket: string, prefix: string): Promise<void> {
    const objects = this.#objects(bucket);
    for (const key of objects.keys()) if (key.startsWith(prefix)) objects.delete(key);
  }

  async listObjects(bucket: string, query: ListObjectsQuery): Promise<ObjectPage> {
    const { prefix = "", after = "", delimiter } = query;
    const items: ObjectPage["items"][number][] = [];
    const folders = new Set<string>();
    const keys = [...this.#objects(bucket).keys()].sort().filter((key) => key.startsWith(prefix));
    let last = "";
    for (const key of keys) {
      if (key <= after || (last !== "" && folders.has(last) && key.startsWith(last))) continue;
      if (items.length === query.limit) return { items, next: last };
      const cut = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
      if (cut >= 0 && delimiter !== undefined) {
        last = key.slice(0, cut + delimiter.length);
        folders.add(last);
        items.push({ kind: "prefix", prefix: last });
        continue;
      }
      last = key;
      const info = objectInfo(key, this.#objects(bucket).get(key) ?? EMPTY);
      items.push({ kind: "object", ...info });
    }
    return { items, next: undefined };
  }

  async renameObject(bucket: string, source: string, target: string): Promise<void> {
    const objects = this.#objects(bucket);
    const stored = objects.get(source);
    if (stored === undefined) {
      throw new ObjectStoreError("no-such-object", `Cannot rename ${source}: no such object`);
    }
    objects.delete(source);
    objects.set(target, stored);
  }

  /** The text of an object, for assertions. */
  text(bucket: string, key: string): string | undefined {
    const stored = this.#buckets.get(bucket)?.get(key);
    return stored === undefined ? undefined : Buffer.from(stored.bytes).toString();
  }

  keys(bucket: string): readonly string[] {
    return [...(this.#buckets.get(bucket)?.keys() ?? [])].sort();
  }

  #objects(bucket: string): Map<string, Stored> {
    const objects = this.#buckets.get(bucket);
    if (objects === undefined) {
      throw new ObjectStoreError("no-such-bucket", `There is no bucket ${bucket}`);
    }
    return objects;
  }

  #info(name: string): BucketInfo {
    const objects = [...this.#objects(name).values()];
    return {
      name,
      owner: "test",
      createdMs: 0,
      sizeBytes: objects.reduce((sum, { bytes }) => sum + bytes.length, 0),
      objectCount: objects.length,
      chunkCount: objects.length,
      quotaBytes: undefined,
      quotaObjects: undefined,
    };
  }
}

const EMPTY: Stored = { bytes: new Uint8Array(0), contentType: "", modifiedMs: 0 };

function objectInfo(key: string, stored: Stored): ObjectInfo {
  return {
    key,
    sizeBytes: stored.bytes.length,
    modifiedMs: stored.modifiedMs,
    etag: String(Bun.hash(stored.bytes)),
    contentType: stored.contentType,
    userMetadata: {},
    chunkCount: 1,
  };
}

async function bytesOf(body: Body): Promise<Uint8Array> {
  if (!isByteStream(body)) return body.slice();
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* once(bytes: Uint8Array): ByteStream {
  yield bytes;
}
