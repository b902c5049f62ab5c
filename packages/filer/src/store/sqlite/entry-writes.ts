import { type Result, assert, ok, refused } from "@kelp/base";
import {
  type Attributes,
  type Condition,
  type ConditionFailed,
  type DeleteEntry,
  type DeletedEntry,
  type Entry,
  type EntryPath,
  type TreeName,
  type WriteRefusal,
} from "@kelp/wire";
import { encodeAttributes } from "../../entry/attributes.ts";
import { failedCondition } from "../../entry/condition.ts";
import { fitsQuota } from "../../tree/quota.ts";
import type { Admission, PutEntry } from "../filer-store.ts";
import type { EntryRow } from "./entry-rows.ts";
import { damaged } from "./row-sums.ts";
import type { StoreTables } from "./store-tables.ts";
import type { TreeState } from "./tree-rows.ts";

/** Writes of single entries. Every method runs inside a transaction and refuses before its first change. */
export class EntryWrites {
  readonly #tables: StoreTables;

  constructor(tables: StoreTables) {
    this.#tables = tables;
  }

  admits(request: Admission): Result<void, WriteRefusal> {
    const { trees, entries, uploads } = this.#tables;
    const { target } = request;
    const tree = trees.find(request.tree);
    if (tree === undefined) return refused("no-such-tree");
    let replacedBytes: number | undefined;
    if (target.kind === "entry") {
      const current = entries.find(tree.id, target.path);
      const failed = failedCondition(request.condition, current);
      if (failed !== undefined) return refused(failed);
      replacedBytes = current?.sizeBytes;
    } else {
      const upload = uploads.find(tree.id, target.id);
      const part = upload && uploads.findPart(upload.number, target.number);
      replacedBytes = part?.sizeBytes;
    }
    const growthBytes = request.sizeBytes - (replacedBytes ?? 0);
    return fitsQuota(tree, growthBytes) ? ok(undefined) : refused("quota-exceeded");
  }

  put(request: PutEntry): Result<Entry, WriteRefusal> {
    const { trees, entries, contents, changes, clock } = this.#tables;
    const tree = trees.find(request.tree);
    if (tree === undefined) return refused("no-such-tree");
    const current = entries.find(tree.id, request.path);
    const failed = failedCondition(request.condition, current);
    if (failed !== undefined) return refused(failed);
    const growthBytes = request.sizeBytes - (current?.sizeBytes ?? 0);
    if (!fitsQuota(tree, growthBytes)) return refused("quota-exceeded");

    const nowMs = clock.nowMs();
    if (current !== undefined) contents.free(current.contentId, current.chunkCount, nowMs);
    const position = changes.append({
      atMs: nowMs,
      kind: "put",
      tree: tree.name,
      path: request.path,
      sizeBytes: request.sizeBytes,
      etag: request.etag,
    });
    const { path, sizeBytes, etag, attributes, content } = request;
    const chunkCount = content.kind === "chunks" ? content.chunks.length : 0;
    const modifiedMs = request.modifiedMs ?? nowMs;
    entries.put(tree.id, {
      path,
      sizeBytes,
      modifiedMs,
      etag,
      chunkCount,
      position,
      contentId: contents.insert(position, content),
      attributes: encodeAttributes(attributes),
    });
    trees.count(tree, {
      bytes: growthBytes,
      entries: current === undefined ? 1 : 0,
      chunks: chunkCount - (current?.chunkCount ?? 0),
    });
    return ok({ path, sizeBytes, modifiedMs, etag, attributes, content, position });
  }

  delete(request: DeleteEntry): Result<DeletedEntry, "no-such-tree" | ConditionFailed> {
    const { trees, entries } = this.#tables;
    const tree = trees.find(request.tree);
    if (tree === undefined) return refused("no-such-tree");
    const current = entries.find(tree.id, request.path);
    const failed = failedCondition(request.condition, current);
    if (failed !== undefined) return refused(failed);
    if (current === undefined) return ok({ existed: false });
    this.remove(tree, current, "free-content");
    return ok({ existed: true });
  }

  setAttributes(
    name: TreeName,
    path: EntryPath,
    change: { readonly attributes: Attributes; readonly condition?: Condition },
  ): Result<Entry, "no-such-tree" | "no-such-entry" | ConditionFailed> {
    const { trees, entries, changes, clock } = this.#tables;
    const tree = trees.find(name);
    if (tree === undefined) return refused("no-such-tree");
    const current = entries.find(tree.id, path);
    if (current === undefined) return refused("no-such-entry");
    const failed = failedCondition(change.condition, current);
    if (failed !== undefined) return refused(failed);
    const { sizeBytes, etag } = current;
    const position = changes.append({
      atMs: clock.nowMs(),
      kind: "put",
      tree: tree.name,
      path,
      sizeBytes,
      etag,
    });
    entries.put(tree.id, {
      ...current,
      attributes: encodeAttributes(change.attributes),
      position,
    });
    return ok(this.whole(tree, path));
  }

  rename(
    name: TreeName,
    source: EntryPath,
    target: EntryPath,
  ): Result<Entry, "no-such-tree" | "no-such-entry"> {
    const { trees, entries } = this.#tables;
    const tree = trees.find(name);
    if (tree === undefined) return refused("no-such-tree");
    const moved = entries.find(tree.id, source);
    if (moved === undefined) return refused("no-such-entry");
    if (source !== target) {
      const replaced = entries.find(tree.id, target);
      if (replaced !== undefined) this.remove(tree, replaced, "free-content");
      this.remove(tree, moved, "keep-content");
      this.place(tree, moved, target);
    }
    return ok(this.whole(tree, target));
  }

  /** Takes an entry out of its tree; its content is freed, or kept for the entry that `place` puts back. */
  remove(tree: TreeState, row: EntryRow, content: "free-content" | "keep-content"): void {
    const { trees, entries, contents, changes, clock } = this.#tables;
    const nowMs = clock.nowMs();
    entries.delete(tree.id, row.path);
    if (content === "free-content") contents.free(row.contentId, row.chunkCount, nowMs);
    changes.append({
      atMs: nowMs,
      kind: "delete",
      tree: tree.name,
      path: row.path,
      sizeBytes: row.sizeBytes,
      etag: row.etag,
    });
    trees.count(tree, { bytes: -row.sizeBytes, entries: -1, chunks: -row.chunkCount });
  }

  /** Puts an entry that was removed with its content kept at another path, which must be free. */
  place(tree: TreeState, row: EntryRow, path: EntryPath): void {
    const { trees, entries, changes, clock } = this.#tables;
    const { sizeBytes, etag } = row;
    const position = changes.append({
      atMs: clock.nowMs(),
      kind: "put",
      tree: tree.name,
      path,
      sizeBytes,
      etag,
    });
    entries.put(tree.id, { ...row, path, position });
    trees.count(tree, { bytes: sizeBytes, entries: 1, chunks: row.chunkCount });
  }

  whole(tree: TreeState, path: EntryPath): Entry {
    const entry = this.#tables.entries.findWhole(tree.id, path);
    if (entry === undefined) throw damaged("an entry just written is absent");
    assert(entry.path === path, "an entry has the path it was asked by");
    return entry;
  }
}
