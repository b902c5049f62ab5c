import type { Result } from "@kelp/base";
import {
  type Entry,
  type EntryPath,
  type Filer,
  LIST_KEYS_MAX,
  type ListPage,
  type ListQuery,
  type ObjectInfo,
  type ObjectReads,
  ObjectStoreError,
  type Snapshots,
  type TreeName,
  parseEntryPath,
} from "@kelp/wire";
import { DEFAULT_CONTENT_TYPE, userMetadata } from "../http/attributes.ts";
import { noSuchBucket, requireBucket } from "./buckets.ts";

/** Where entries are looked up: the tree as it is, or one of its snapshots. */
interface TreeState {
  getEntry(
    tree: TreeName,
    path: EntryPath,
  ): Promise<Result<Entry, "no-such-tree" | "no-such-snapshot" | "no-such-entry">>;
  listEntries(
    tree: TreeName,
    query: ListQuery,
  ): Promise<Result<ListPage, "no-such-tree" | "no-such-snapshot">>;
}

export function currentState(filer: Filer): TreeState {
  return {
    getEntry: (tree, path) => filer.getEntry(tree, path),
    listEntries: (tree, query) => filer.listEntries(tree, query),
  };
}

export function snapshotState(filer: Snapshots, snapshot: string): TreeState {
  return {
    getEntry: (tree, path) => filer.getSnapshotEntry(tree, snapshot, path),
    listEntries: (tree, query) => filer.listSnapshotEntries(tree, snapshot, query),
  };
}

/** Reads of objects in one state of the buckets. */
export function createObjectReads(filer: Filer, state: TreeState): ObjectReads {
  const findEntry = async (bucket: string, key: string): Promise<Entry | undefined> => {
    const tree = await requireBucket(filer, bucket);
    const path = parseEntryPath(key);
    if (path === undefined) return undefined;
    const found = await state.getEntry(tree, path);
    if (found.kind === "ok") return found.value;
    if (found.refusal === "no-such-entry") return undefined;
    throw stateRefused(found.refusal, bucket);
  };
  return {
    async headObject(bucket, key) {
      const entry = await findEntry(bucket, key);
      return entry === undefined ? undefined : objectInfo(entry);
    },

    async getObject(bucket, key, range) {
      const entry = await findEntry(bucket, key);
      if (entry === undefined) return undefined;
      return { info: objectInfo(entry), body: filer.readFile(entry, range) };
    },

    async listObjects(bucket, query) {
      const tree = await requireBucket(filer, bucket);
      const listed = await state.listEntries(tree, {
        limit: Math.min(Math.max(1, query.limit), LIST_KEYS_MAX),
        ...(query.prefix !== undefined && { prefix: query.prefix }),
        ...(query.delimiter !== undefined && { delimiter: query.delimiter }),
        ...(query.after !== undefined && { after: query.after }),
      });
      if (listed.kind === "refused") throw stateRefused(listed.refusal, bucket);
      return {
        items: listed.value.items.map((item) => {
          if (item.kind === "prefix") return item;
          const { path, sizeBytes, modifiedMs, etag, chunkCount } = item;
          return { kind: "object", key: path, sizeBytes, modifiedMs, etag, chunkCount };
        }),
        next: listed.value.next,
      };
    },
  };
}

/** What a look into a bucket, or into a snapshot of it, was refused for. */
export function stateRefused(
  refusal: "no-such-tree" | "no-such-snapshot",
  bucket: string,
): ObjectStoreError {
  if (refusal === "no-such-tree") return noSuchBucket(bucket);
  return new ObjectStoreError("no-such-snapshot", `Bucket ${bucket} has no such snapshot`);
}

export function objectInfo(entry: Entry): ObjectInfo {
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
