import { type Result, compareBytes, hex, must, ok, refused } from "@kelp/base";
import {
  type CompleteRefusal,
  type CompleteUpload,
  type Entry,
  OBJECT_BYTES_MAX,
  PART_NUMBER_MAX,
} from "@kelp/wire";
import { encodeAttributes } from "../../entry/attributes.ts";
import { CHUNK_ADDRESS_BYTES, encodeChunks } from "../../entry/chunk-list.ts";
import { failedCondition } from "../../entry/condition.ts";
import { fitsQuota } from "../../tree/quota.ts";
import type { CompleteParts, JoinedParts } from "../filer-store.ts";
import { chunksOf } from "./content-rows.ts";
import type { EntryRow } from "./entry-row.ts";
import { type EntryWrites, growthOf } from "./entry-writes.ts";
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
  request: CompleteParts,
): Result<Entry, CompleteRefusal | "parts-changed"> | DescribeFailure {
  const tree = tables.trees.find(request.tree);
  if (tree === undefined) return refused("no-such-tree");
  const upload = tables.uploads.find(tree.id, request.id);
  if (upload === undefined) return completeAgain(tables, tree, request);

  const stored = tables.uploads.parts(upload.number, 0, PART_NUMBER_MAX);
  const chosen = chooseParts(stored, request);
  if (chosen.kind === "refused") return chosen;
  const { folded } = request;
  if (folded !== undefined && folded.partsDigest !== digestOfParts(tables, chosen.value)) {
    return refused("parts-changed");
  }
  const { row: current, visible } = writes.find(tree, upload.path);
  const failed = failedCondition(request.condition, visible);
  if (failed !== undefined) return refused(failed);
  // The parts' bytes are in the usage already; what may be new is the entry.
  const growth = { bytes: 0, entries: current === undefined ? 1 : 0 };
  if (!fitsQuota(tree, growth)) return refused("quota-exceeded");
  let description: ReturnType<CompleteUpload["describe"]>;
  try {
    description = request.describe(chosen.value.map(partOf), uploadOf(upload));
  } catch (error) {
    return new DescribeFailure(error);
  }

  return ok(
    join(tables, writes, {
      tree,
      upload,
      stored,
      chosen: chosen.value,
      current,
      description,
      request,
    }),
  );
}

/** The list that a completion would make, when it is long. */
export function joinedParts(
  tables: StoreTables,
  request: CompleteUpload,
  recordsMax: number,
): JoinedParts | undefined {
  const tree = tables.trees.find(request.tree);
  const upload = tree && tables.uploads.find(tree.id, request.id);
  if (upload === undefined) return undefined;
  if (tables.uploads.sumParts(upload.number).chunks <= recordsMax) return undefined;
  const chosen = chooseParts(tables.uploads.parts(upload.number, 0, PART_NUMBER_MAX), request);
  if (chosen.kind === "refused" || sumOf(chosen.value).chunks <= recordsMax) return undefined;
  const chunks = chosen.value.flatMap((part) => chunksOf(part.chunks));
  return { chunks, partsDigest: digestOfParts(tables, chosen.value) };
}

/** A part is known by its first chunk: a part that replaces it has others. */
function digestOfParts(tables: StoreTables, parts: readonly PartRow[]): string {
  const addresses = parts.map((part) => part.chunks.subarray(0, CHUNK_ADDRESS_BYTES));
  return hex(tables.hashes.digest("sha256", Buffer.concat(addresses)));
}

/** The stored parts that were named, in order; a refusal when one differs or is too small, or all are too much. */
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
  const sizeBytes = sumOf(chosen).bytes;
  return sizeBytes > OBJECT_BYTES_MAX ? refused({ kind: "too-large", sizeBytes }) : ok(chosen);
}

/** The parts' usage turns into the entry's. */
function join(
  tables: StoreTables,
  writes: EntryWrites,
  work: {
    readonly tree: TreeState;
    readonly upload: UploadRow;
    readonly stored: readonly PartRow[];
    readonly chosen: readonly PartRow[];
    readonly current: EntryRow | undefined;
    readonly description: ReturnType<CompleteUpload["describe"]>;
    readonly request: CompleteParts;
  },
): Entry {
  const { tree, upload, stored, chosen, current, description } = work;
  const { path } = upload;
  const { etag } = description;
  const nowMs = tables.clock.nowMs();
  const total = sumOf(chosen);
  const all = sumOf(stored);
  const sizeBytes = total.bytes;
  const position = writes.replace(tree, { path, sizeBytes, etag, current, nowMs });
  const { folded } = work.request;
  const list =
    folded === undefined
      ? Buffer.concat(chosen.map((part) => part.chunks))
      : encodeChunks(folded.chunks);
  tables.contents.referListed(folded?.manifests);
  const contentId = tables.contents.insertBytes(position, list);
  tables.trees.countParts(tree, { bytes: -all.bytes, chunks: -all.chunks });
  const row: EntryRow = {
    path,
    sizeBytes,
    modifiedMs: nowMs,
    etag,
    chunkCount: folded?.chunks.length ?? total.chunks,
    position,
    contentId,
    attributes: encodeAttributes(description.attributes),
    expiresMs: description.expiresMs ?? 0,
  };
  writes.insert(tree, row, growthOf(row, current));
  closeUpload(tables, { upload, stored, chosen });
  tables.uploads.remember({
    id: upload.id,
    treeId: tree.id,
    path,
    contentId,
    digest: digestOf(tables, work.request),
  });
  return writes.whole(tree, path);
}

function sumOf(parts: readonly PartRow[]): { readonly bytes: number; readonly chunks: number } {
  let bytes = 0;
  let chunks = 0;
  for (const part of parts) {
    bytes += part.sizeBytes;
    chunks += part.chunkCount;
  }
  return { bytes, chunks };
}

/** Takes the chosen parts; the others are freed by a job. */
function closeUpload(
  tables: StoreTables,
  parts: {
    readonly upload: UploadRow;
    readonly stored: readonly PartRow[];
    readonly chosen: readonly PartRow[];
  },
): void {
  const { uploads, jobs } = tables;
  const { number } = parts.upload;
  uploads.delete(number);
  if (parts.chosen.length === parts.stored.length) {
    uploads.deleteParts(number);
    return;
  }
  for (const part of parts.chosen) uploads.deletePart(number, part.number);
  jobs.add("drop-parts", number);
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
  const row = tables.reads.find(tree, completed.path);
  if (row === undefined || row.contentId !== completed.contentId) return refused("no-such-upload");
  return ok(must(tables.reads.wholeOf(row)));
}

function digestOf(tables: StoreTables, request: CompleteUpload): Uint8Array {
  const text = request.parts.map((part) => `${part.number} ${part.etag}\n`).join("");
  return tables.hashes.digest("sha256", text);
}
