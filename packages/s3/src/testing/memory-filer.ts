import {
  type Body,
  type ByteStream,
  type Hashes,
  collectBytes,
  hex,
  isByteStream,
  must,
  ok,
  refused,
} from "@kelp/base";
import { keptPieces } from "./lent-pieces.ts";
import type {
  Change,
  Entry,
  EntryPath,
  Filer,
  ListItem,
  Part,
  Tree,
  TreeName,
  Upload,
  UploadId,
} from "@kelp/wire";

import { checkCondition, compareText, isAfter, rollUp, sorted } from "./memory-order.ts";

const INLINE_BYTES_MAX = 4096;
const BODY_BYTES_MAX = 256 * 1024 * 1024;

interface Bucket {
  tree: Tree;
  readonly entries: Map<string, Entry>;
  readonly bodies: Map<string, Uint8Array>;
  readonly uploads: Map<
    string,
    { upload: Upload; readonly parts: Map<number, { part: Part; bytes: Uint8Array }> }
  >;
  readonly completed: Map<string, string>;
}

/** What a test can make the filer do wrong. */
export interface MemoryFiler extends Filer {
  /** Thrown by the next write, once. */
  failNextWrite: Error | undefined;
  /** Thrown by the next read, once, after that many pieces. */
  failNextRead: { readonly error: Error; readonly afterPieces: number } | undefined;
  /** Pieces that readers have taken. */
  piecesRead: number;
}

/** A filer in memory, for tests of what stands on filers. Bodies are given out in pieces of `pieceBytes`. */
export function createMemoryFiler(options: {
  readonly hashes: Hashes;
  readonly nowMs: () => number;
  readonly pieceBytes?: number;
}): MemoryFiler {
  const buckets = new Map<string, Bucket>();
  const pieceBytes = options.pieceBytes ?? 64 * 1024;
  let position = 0;
  let uploadCount = 0;

  const md5 = (bytes: Uint8Array): Uint8Array => options.hashes.digest("md5", bytes);

  function store(
    bucket: Bucket,
    path: EntryPath,
    bytes: Uint8Array,
    described: {
      attributes: Readonly<Record<string, string>>;
      etag?: string;
      modifiedMs?: number;
    },
  ): Entry {
    const isInline = bytes.length <= INLINE_BYTES_MAX;
    const entry: Entry = {
      path,
      sizeBytes: bytes.length,
      modifiedMs: described.modifiedMs ?? options.nowMs(),
      etag: described.etag ?? hex(md5(bytes)),
      attributes: described.attributes,
      content: isInline ? { kind: "inline", bytes } : { kind: "chunks", chunks: [] },
      position: ++position,
    };
    const old = bucket.entries.get(path);
    account(bucket, bytes.length - (old?.sizeBytes ?? 0), old === undefined ? 1 : 0);
    bucket.entries.set(path, entry);
    bucket.bodies.set(path, bytes);
    return entry;
  }

  /** Usage in steps, as a real filer keeps it. */
  function account(bucket: Bucket, bytes: number, entries: number): void {
    const { usage } = bucket.tree;
    const next = { bytes: usage.bytes + bytes, entries: usage.entries + entries, chunks: 0 };
    bucket.tree = { ...bucket.tree, usage: next };
  }

  function freeParts(bucket: Bucket, id: string): void {
    for (const { part } of bucket.uploads.get(id)?.parts.values() ?? []) {
      account(bucket, -part.sizeBytes, -1);
    }
    bucket.uploads.delete(id);
  }

  async function collect(body: Body): Promise<Uint8Array> {
    if (filer.failNextWrite !== undefined) {
      const error = filer.failNextWrite;
      filer.failNextWrite = undefined;
      throw error;
    }
    if (!isByteStream(body)) return body.slice();
    return must(await collectBytes(keptPieces(body), BODY_BYTES_MAX));
  }

  const filer: MemoryFiler = {
    failNextWrite: undefined,
    failNextRead: undefined,
    piecesRead: 0,

    createTree(request) {
      if (buckets.has(request.name)) return Promise.resolve(refused("exists"));
      const tree: Tree = {
        name: request.name,
        kind: request.kind,
        owner: request.owner,
        createdMs: options.nowMs(),
        usage: { bytes: 0, entries: 0, chunks: 0 },
        quota: undefined,
        attributes: request.attributes ?? {},
      };
      buckets.set(request.name, {
        tree,
        entries: new Map(),
        bodies: new Map(),
        uploads: new Map(),
        completed: new Map(),
      });
      return Promise.resolve(ok(tree));
    },
    getTree: (name) => Promise.resolve(buckets.get(name)?.tree),
    listTrees: () =>
      Promise.resolve(
        [...buckets.values()]
          .map((bucket) => bucket.tree)
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
      ),
    deleteTree(name, how) {
      const bucket = buckets.get(name);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      if (bucket.entries.size > 0 && how?.contents !== "discard")
        return Promise.resolve(refused("not-empty"));
      buckets.delete(name);
      return Promise.resolve(ok(undefined));
    },
    setQuota(name, change) {
      const bucket = buckets.get(name);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      const { bytes, entries } = { ...bucket.tree.quota, ...change };
      const quota = { ...(bytes && { bytes }), ...(entries && { entries }) };
      bucket.tree = { ...bucket.tree, quota };
      return Promise.resolve(ok(bucket.tree));
    },
    setTreeAttributes(name, attributes) {
      const bucket = buckets.get(name);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      bucket.tree = { ...bucket.tree, attributes };
      return Promise.resolve(ok(bucket.tree));
    },

    getEntry(tree, path) {
      const bucket = buckets.get(tree);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      const entry = bucket.entries.get(path);
      return Promise.resolve(entry === undefined ? refused("no-such-entry") : ok(entry));
    },
    headEntry: (tree, path) => filer.getEntry(tree, path),
    deleteEntry({ tree, path, condition }) {
      const bucket = buckets.get(tree);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      const failed = checkCondition(condition, bucket.entries.get(path));
      if (failed !== undefined) return Promise.resolve(refused(failed));
      const old = bucket.entries.get(path);
      if (old !== undefined) account(bucket, -old.sizeBytes, -1);
      const existed = bucket.entries.delete(path);
      bucket.bodies.delete(path);
      return Promise.resolve(ok({ existed }));
    },
    listEntries(tree, query) {
      const bucket = buckets.get(tree);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      const items: ListItem[] = [];
      let last = "";
      for (const [path, entry] of sorted(bucket.entries)) {
        const rolled = rollUp(path, query.prefix ?? "", query.delimiter);
        if (rolled === undefined) continue;
        const text = rolled === "" ? path : rolled;
        if (query.after !== undefined && compareText(text, query.after) <= 0) continue;
        if (items.length > 0 && text === last) continue;
        if (items.length === query.limit) return Promise.resolve(ok({ items, next: last }));
        const { sizeBytes, modifiedMs, etag } = entry;
        items.push(
          rolled === ""
            ? { kind: "entry", path, sizeBytes, modifiedMs, etag, chunkCount: 0 }
            : { kind: "prefix", prefix: rolled },
        );
        last = text;
      }
      return Promise.resolve(ok({ items, next: undefined }));
    },
    setEntryAttributes(tree, path, change) {
      const bucket = buckets.get(tree);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      const entry = bucket.entries.get(path);
      if (entry === undefined) return Promise.resolve(refused("no-such-entry"));
      const changed = { ...entry, attributes: change.attributes, position: ++position };
      bucket.entries.set(path, changed);
      return Promise.resolve(ok(changed));
    },
    renameEntry(tree, source, target) {
      const bucket = buckets.get(tree);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      const entry = bucket.entries.get(source);
      const bytes = bucket.bodies.get(source);
      if (entry === undefined || bytes === undefined) {
        return Promise.resolve(refused("no-such-entry"));
      }
      account(bucket, -entry.sizeBytes, -1);
      bucket.entries.delete(source);
      bucket.bodies.delete(source);
      return Promise.resolve(ok(store(bucket, target, bytes, entry)));
    },
    renamePrefix: () => Promise.resolve(refused("too-many")),
    deletePrefix: () => Promise.resolve(refused("no-such-tree")),

    async writeFile({ tree, path, body, describe, condition }) {
      if (!buckets.has(tree)) return refused("no-such-tree");
      const bytes = await collect(body);
      const bucket = buckets.get(tree);
      if (bucket === undefined) return refused("no-such-tree");
      const described = describe({ sizeBytes: bytes.length, md5: md5(bytes) });
      const failed = checkCondition(condition, bucket.entries.get(path));
      if (failed !== undefined) return refused(failed);
      const old = bucket.entries.get(path)?.sizeBytes ?? 0;
      if (isOver(bucket, bytes.length - old, bucket.entries.has(path) ? 0 : 1))
        return refused("quota-exceeded");
      return ok(store(bucket, path, bytes, described));
    },
    readFile(entry, range) {
      const bytes = findBody(buckets, entry);
      const fail = filer.failNextRead;
      filer.failNextRead = undefined;
      return pieces(bytes.subarray(range?.start ?? 0, range?.end ?? bytes.length), fail);
    },

    createUpload(request) {
      const bucket = buckets.get(request.tree);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      const { path, owner, attributes } = request;
      const id = `upload-${String(++uploadCount).padStart(6, "0")}` as UploadId;
      const upload: Upload = { id, path, owner, createdMs: options.nowMs(), attributes };
      bucket.uploads.set(id, { upload, parts: new Map() });
      return Promise.resolve(ok(upload));
    },
    getUpload: (tree, id) => Promise.resolve(findUpload(buckets, tree, id)),
    async writePart({ tree, id, number, body, describe }) {
      const found = findUpload(buckets, tree, id);
      if (found.kind === "refused") return found;
      const bytes = await collect(body);
      const bucket = must(buckets.get(tree));
      const described = describe({ sizeBytes: bytes.length, md5: md5(bytes) });
      if (isOver(bucket, bytes.length, 0)) return refused("quota-exceeded");
      const part: Part = {
        number,
        sizeBytes: bytes.length,
        modifiedMs: options.nowMs(),
        etag: described.etag ?? hex(md5(bytes)),
        attributes: described.attributes,
      };
      const parts = must(bucket.uploads.get(id)).parts;
      const old = parts.get(number);
      account(bucket, bytes.length - (old?.part.sizeBytes ?? 0), old === undefined ? 1 : 0);
      parts.set(number, { part, bytes });
      return ok(part);
    },
    listParts(tree, id, query) {
      const found = findUpload(buckets, tree, id);
      if (found.kind === "refused") return Promise.resolve(found);
      const all = [...must(buckets.get(tree)?.uploads.get(id)).parts.values()]
        .map(({ part }) => part)
        .filter((part) => part.number > query.afterNumber)
        .sort((a, b) => a.number - b.number);
      const parts = all.slice(0, query.limit);
      return Promise.resolve(ok({ parts, isTruncated: parts.length < all.length }));
    },
    listUploads(tree, query) {
      const bucket = buckets.get(tree);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      const all = [...bucket.uploads.values()]
        .map(({ upload }) => upload)
        .sort((a, b) => compareText(a.path, b.path) || compareText(a.id, b.id));
      const items: ({ kind: "upload"; upload: Upload } | { kind: "prefix"; prefix: string })[] = [];
      let last: { path: string; id: string } | undefined;
      for (const upload of all) {
        const rolled = rollUp(upload.path, query.prefix ?? "", query.delimiter);
        if (rolled === undefined) continue;
        const text = rolled === "" ? upload.path : rolled;
        if (!isAfter(text, upload.id, query)) continue;
        if (rolled !== "" && last?.path === rolled) continue;
        if (items.length === query.limit) return Promise.resolve(ok({ items, next: last }));
        items.push(rolled === "" ? { kind: "upload", upload } : { kind: "prefix", prefix: rolled });
        last = { path: text, id: rolled === "" ? upload.id : "" };
      }
      return Promise.resolve(ok({ items, next: undefined }));
    },
    completeUpload(request) {
      const bucket = buckets.get(request.tree);
      if (bucket === undefined) return Promise.resolve(refused("no-such-tree"));
      const found = bucket.uploads.get(request.id);
      if (found === undefined) {
        const path = bucket.completed.get(request.id);
        const entry = path === undefined ? undefined : bucket.entries.get(path);
        return Promise.resolve(entry === undefined ? refused("no-such-upload") : ok(entry));
      }
      const chosen: { part: Part; bytes: Uint8Array }[] = [];
      for (const named of request.parts) {
        const stored = found.parts.get(named.number);
        if (stored?.part.etag !== named.etag) {
          return Promise.resolve(refused({ kind: "invalid-part", number: named.number }));
        }
        chosen.push(stored);
      }
      for (const { part } of chosen.slice(0, -1)) {
        if (part.sizeBytes >= request.partBytesMin) continue;
        const { number, sizeBytes } = part;
        return Promise.resolve(refused({ kind: "part-too-small", number, sizeBytes }));
      }
      const path = found.upload.path;
      const failed = checkCondition(request.condition, bucket.entries.get(path));
      if (failed !== undefined) return Promise.resolve(refused(failed));
      try {
        const described = request.describe(
          chosen.map(({ part }) => part),
          found.upload,
        );
        freeParts(bucket, request.id);
        bucket.completed.set(request.id, path);
        const bytes = Buffer.concat(chosen.map((part) => part.bytes));
        return Promise.resolve(ok(store(bucket, path, bytes, described)));
      } catch (error) {
        return Promise.reject(error as Error);
      }
    },
    abortUpload(tree, id) {
      const found = findUpload(buckets, tree, id);
      if (found.kind === "refused") return Promise.resolve(found);
      const bucket = must(buckets.get(tree));
      freeParts(bucket, id);
      return Promise.resolve(ok(undefined));
    },
    readChanges: (): Promise<Change[]> => Promise.resolve([]),
  };
  return filer;

  async function* pieces(
    bytes: Uint8Array,
    fail: { readonly error: Error; readonly afterPieces: number } | undefined,
  ): ByteStream {
    let count = 0;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      if (fail !== undefined && count === fail.afterPieces) throw fail.error;
      count++;
      filer.piecesRead++;
      yield bytes.subarray(at, at + pieceBytes);
    }
  }
}

function findBody(buckets: ReadonlyMap<string, Bucket>, entry: Entry): Uint8Array {
  for (const bucket of buckets.values()) {
    if (bucket.entries.get(entry.path) === entry) return must(bucket.bodies.get(entry.path));
  }
  throw new Error("Cannot read entry: it was replaced");
}

function findUpload(
  buckets: ReadonlyMap<string, Bucket>,
  tree: TreeName,
  id: UploadId,
): ReturnType<typeof ok<Upload>> | ReturnType<typeof refused<"no-such-tree" | "no-such-upload">> {
  const bucket = buckets.get(tree);
  if (bucket === undefined) return refused("no-such-tree");
  const found = bucket.uploads.get(id);
  return found === undefined ? refused("no-such-upload") : ok(found.upload);
}

function isOver(bucket: Bucket, addedBytes: number, addedEntries: number): boolean {
  const { quota, usage } = bucket.tree;
  if (quota?.bytes !== undefined && usage.bytes + addedBytes > quota.bytes) return true;
  return quota?.entries !== undefined && usage.entries + addedEntries > quota.entries;
}
