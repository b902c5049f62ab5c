import { type Result, compareBytes, must, ok, refused, utf8 } from "@kelp/base";
import { type CompleteRefusal, type CompleteUpload, type Entry, PART_NUMBER_MAX } from "@kelp/wire";
import { encodeAttributes } from "../../entry/attributes.ts";
import { failedCondition } from "../../entry/condition.ts";
import type { EntryWrites } from "./entry-writes.ts";
import type { StoreTables } from "./store-tables.ts";
import type { TreeState } from "./tree-rows.ts";
import { type PartRow, type UploadRow, partOf, uploadOf } from "./upload-rows.ts";

/** What the caller's `describe` threw: it must reject this completion alone, not the batch it stands in. */
export class DescribeFailure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** Inside a transaction: makes one entry of an upload's parts. Chunks stay where they are; only their names move. */
export function completeUpload(
  tables: StoreTables,
  writes: EntryWrites,
  request: CompleteUpload,
): Result<Entry, CompleteRefusal> | DescribeFailure {
  const tree = tables.trees.find(request.tree);
  if (tree === undefined) return refused("no-such-tree");
  const upload = tables.uploads.find(tree.id, request.id);
  if (upload === undefined) return completeAgain(tables, tree, request);

  const stored = tables.uploads.parts(upload.number, 0, PART_NUMBER_MAX);
  const chosen = chooseParts(stored, request);
  if (chosen.kind === "refused") return chosen;
  const current = tables.entries.find(tree.id, upload.path);
  const failed = failedCondition(request.condition, current);
  if (failed !== undefined) return refused(failed);
  let description: ReturnType<CompleteUpload["describe"]>;
  try {
    description = request.describe(chosen.value.map(partOf), uploadOf(upload));
  } catch (error) {
    return new DescribeFailure(error);
  }

  const nowMs = tables.clock.nowMs();
  freeUnused(tables, tree, { stored, chosen: chosen.value, nowMs });
  if (current !== undefined) {
    tables.contents.free(current.contentId, current.chunkCount, nowMs);
    tables.trees.count(tree, {
      bytes: -current.sizeBytes,
      entries: -1,
      chunks: -current.chunkCount,
    });
  }
  return ok(
    join(tables, writes, { tree, upload, chosen: chosen.value, description, request, nowMs }),
  );
}

/** The stored parts that were named, in order; a refusal when one differs or is too small. */
function chooseParts(
  stored: readonly PartRow[],
  request: CompleteUpload,
): Result<readonly PartRow[], CompleteRefusal> {
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  const chosen: PartRow[] = [];
  let previous = 0;
  for (const { number, etag } of request.parts) {
    const part = byNumber.get(number);
    if (part === undefined || part.etag !== etag || number <= previous) {
      return refused({ kind: "invalid-part", number });
    }
    chosen.push(part);
    previous = number;
  }
  for (const part of chosen.slice(0, -1)) {
    if (part.sizeBytes < request.partBytesMin) {
      return refused({
        kind: "part-too-small",
        number: part.number,
        sizeBytes: part.sizeBytes,
      });
    }
  }
  return ok(chosen);
}

function freeUnused(
  tables: StoreTables,
  tree: TreeState,
  parts: {
    readonly stored: readonly PartRow[];
    readonly chosen: readonly PartRow[];
    readonly nowMs: number;
  },
): void {
  const used = new Set(parts.chosen);
  for (const part of parts.stored) {
    if (used.has(part)) continue;
    tables.contents.freeList(part.chunks, parts.nowMs);
    tables.trees.count(tree, { bytes: -part.sizeBytes, entries: 0, chunks: -part.chunkCount });
  }
}

/** Usage of bytes and chunks is not touched: the parts' own turns into the entry's. */
function join(
  tables: StoreTables,
  writes: EntryWrites,
  work: {
    readonly tree: TreeState;
    readonly upload: UploadRow;
    readonly chosen: readonly PartRow[];
    readonly description: ReturnType<CompleteUpload["describe"]>;
    readonly request: CompleteUpload;
    readonly nowMs: number;
  },
): Entry {
  const { tree, upload, chosen, description, nowMs } = work;
  let sizeBytes = 0;
  let chunkCount = 0;
  for (const part of chosen) {
    sizeBytes += part.sizeBytes;
    chunkCount += part.chunkCount;
  }
  const position = tables.changes.append({
    atMs: nowMs,
    kind: "put",
    tree: tree.name,
    path: upload.path,
    sizeBytes,
    etag: description.etag,
  });
  const list = Buffer.concat(chosen.map((part) => part.chunks));
  const contentId = tables.contents.insertBytes(position, list);
  tables.entries.put(tree.id, {
    path: upload.path,
    sizeBytes,
    modifiedMs: nowMs,
    etag: description.etag,
    chunkCount,
    position,
    contentId,
    attributes: encodeAttributes(description.attributes),
  });
  tables.trees.count(tree, { bytes: 0, entries: 1, chunks: 0 });
  tables.uploads.delete(upload.number);
  tables.uploads.remember({
    id: upload.id,
    treeId: tree.id,
    path: upload.path,
    contentId,
    digest: digestOf(tables, work.request),
  });
  return writes.whole(tree, upload.path);
}

/** A lost answer is asked for again: the entry itself, while it still has the content of that completion. */
function completeAgain(
  tables: StoreTables,
  tree: TreeState,
  request: CompleteUpload,
): Result<Entry, CompleteRefusal> {
  const completed = tables.uploads.findCompleted(tree.id, request.id);
  if (completed === undefined) return refused("no-such-upload");
  if (compareBytes(completed.digest, digestOf(tables, request)) !== 0) {
    return refused("no-such-upload");
  }
  const row = tables.entries.find(tree.id, completed.path);
  if (row === undefined || row.contentId !== completed.contentId) return refused("no-such-upload");
  return ok(must(tables.entries.findWhole(tree.id, completed.path)));
}

function digestOf(tables: StoreTables, request: CompleteUpload): Uint8Array {
  const text = request.parts.map((part) => `${part.number} ${part.etag}\n`).join("");
  return tables.hashes.digest("sha256", utf8(text));
}
