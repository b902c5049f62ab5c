import { type ByteStream, type Clock, isByteStream, joinBytes } from "@kelp/base";
import {
  type BucketInfo,
  type BucketQuotaChange,
  type DeleteTree,
  type ListObjectsQuery,
  type ObjectInfo,
  type ObjectPage,
  type ObjectStore,
  ObjectStoreError,
  type PutObject,
  parseBucketName,
} from "@kelp/wire";

interface StoredObject {
  readonly info: ObjectInfo;
  readonly bytes: Uint8Array;
}

interface StoredBucket {
  readonly owner: string;
  readonly createdMs: number;
  readonly quotaBytes: number | undefined;
  readonly quotaObjects: number | undefined;
  readonly objects: Map<string, StoredObject>;
}

/** Pieces in which a body is given out, so that readers meet more than one. */
const PIECE_BYTES = 64 * 1024;

/** An object store in memory with the refusals of the real one: for tests and for looking at the app. */
export class MemoryObjectStore implements ObjectStore {
  readonly #buckets = new Map<string, StoredBucket>();
  readonly #clock: Pick<Clock, "nowMs">;
  /** Pieces that readers have taken: tells a test whether a slow reader holds the source back. */
  readPieceCount = 0;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  async listBuckets(): Promise<BucketInfo[]> {
    return [...this.#buckets].sort(([left], [right]) => (left < right ? -1 : 1)).map(bucketInfo);
  }

  async getBucket(name: string): Promise<BucketInfo | undefined> {
    const bucket = this.#buckets.get(name);
    return bucket === undefined ? undefined : bucketInfo([name, bucket]);
  }

  async createBucket(name: string, owner: string): Promise<"created" | "exists"> {
    if (parseBucketName(name) === undefined) {
      throw new ObjectStoreError("invalid-bucket-name", `${name} is no bucket name`);
    }
    if (this.#buckets.has(name)) return "exists";
    this.#buckets.set(name, {
      owner,
      createdMs: this.#clock.nowMs(),
      quotaBytes: undefined,
      quotaObjects: undefined,
      objects: new Map(),
    });
    return "created";
  }

  async deleteBucket(name: string, options?: DeleteTree): Promise<void> {
    if (this.#bucket(name).objects.size > 0 && options?.contents !== "discard") {
      throw new ObjectStoreError("bucket-not-empty", `Bucket ${name} is not empty`);
    }
    this.#buckets.delete(name);
  }

  async setBucketQuota(name: string, change: BucketQuotaChange): Promise<void> {
    this.#buckets.set(name, {
      ...this.#bucket(name),
      ...(change.sizeBytes !== undefined && { quotaBytes: change.sizeBytes ?? undefined }),
      ...(change.objectCount !== undefined && { quotaObjects: change.objectCount ?? undefined }),
    });
  }

  async putObject(request: PutObject): Promise<ObjectInfo> {
    const bucket = this.#bucket(request.bucket);
    const bytes = isByteStream(request.body) ? await collect(request.body) : request.body;
    request.signal?.throwIfAborted();
    if (bucket.quotaBytes !== undefined && bytes.length > bucket.quotaBytes) {
      throw new ObjectStoreError("quota-exceeded", `Bucket ${request.bucket} is over its quota`);
    }
    const added = bucket.objects.has(request.key) ? 0 : 1;
    if (bucket.quotaObjects !== undefined && bucket.objects.size + added > bucket.quotaObjects) {
      throw new ObjectStoreError("quota-exceeded", `Bucket ${request.bucket} is over its quota`);
    }
    const info: ObjectInfo = {
      key: request.key,
      sizeBytes: bytes.length,
      modifiedMs: this.#clock.nowMs(),
      etag: `size-${bytes.length}`,
      contentType: request.contentType ?? "application/octet-stream",
      userMetadata: {},
      chunkCount: bytes.length === 0 ? 0 : 1,
    };
    bucket.objects.set(request.key, { info, bytes });
    return info;
  }

  async headObject(bucket: string, key: string): Promise<ObjectInfo | undefined> {
    return this.#bucket(bucket).objects.get(key)?.info;
  }

  async getObject(
    bucket: string,
    key: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<{ info: ObjectInfo; body: ByteStream } | undefined> {
    const found = this.#bucket(bucket).objects.get(key);
    if (found === undefined) return undefined;
    const { info, bytes } = found;
    return { info, body: this.#pieces(bytes.subarray(range?.start ?? 0, range?.end)) };
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    this.#bucket(bucket).objects.delete(key);
  }

  async deleteObjects(bucket: string, prefix: string): Promise<void> {
    const { objects } = this.#bucket(bucket);
    for (const key of objects.keys()) if (key.startsWith(prefix)) objects.delete(key);
  }

  async listObjects(bucket: string, query: ListObjectsQuery): Promise<ObjectPage> {
    const { prefix = "", delimiter, after = "", limit } = query;
    const items = new Map<string, ObjectPage["items"][number]>();
    for (const { info } of this.#bucket(bucket).objects.values()) {
      if (!info.key.startsWith(prefix)) continue;
      const cut = delimiter === undefined ? -1 : info.key.indexOf(delimiter, prefix.length);
      const rolled = info.key.slice(0, cut + (delimiter?.length ?? 0));
      if (cut < 0) items.set(info.key, { kind: "object", ...info });
      else items.set(rolled, { kind: "prefix", prefix: rolled });
    }
    const sorted = [...items].filter(([name]) => name > after).sort(([a], [b]) => (a < b ? -1 : 1));
    const page = sorted.slice(0, limit);
    return {
      items: page.map(([, item]) => item),
      next: sorted.length > limit ? page.at(-1)?.[0] : undefined,
    };
  }

  async renameObject(bucket: string, source: string, target: string): Promise<void> {
    const { objects } = this.#bucket(bucket);
    const found = objects.get(source);
    if (found === undefined) {
      throw new ObjectStoreError("no-such-object", `There is no object ${source}`);
    }
    objects.delete(source);
    objects.set(target, { ...found, info: { ...found.info, key: target } });
  }

  #bucket(name: string): StoredBucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      throw new ObjectStoreError("no-such-bucket", `There is no bucket ${name}`);
    }
    return bucket;
  }

  async *#pieces(bytes: Uint8Array): ByteStream {
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      this.readPieceCount += 1;
      yield bytes.subarray(start, start + PIECE_BYTES);
    }
  }
}

function bucketInfo([name, bucket]: readonly [string, StoredBucket]): BucketInfo {
  let sizeBytes = 0;
  for (const { info } of bucket.objects.values()) sizeBytes += info.sizeBytes;
  return {
    name,
    owner: bucket.owner,
    createdMs: bucket.createdMs,
    sizeBytes,
    objectCount: bucket.objects.size,
    chunkCount: bucket.objects.size,
    quotaBytes: bucket.quotaBytes,
    quotaObjects: bucket.quotaObjects,
  };
}

async function collect(stream: ByteStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(Uint8Array.from(piece));
  return joinBytes(pieces);
}
