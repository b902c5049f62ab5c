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
import type { Admission, ExtendEntry, PutEntry } from "../filer-store.ts";
import type { EntryRow } from "./entry-row.ts";
import { entryOf, isExpired } from "./entry-rows.ts";
import { damaged } from "./row-sums.ts";
import type { StoreTables } from "./store-tables.ts";
import type { TreeState } from "./tree-rows.ts";

/** What stands at a path: the row, and the entry that it is to everybody, which is absent when its time is over. */
interface Found {
  readonly row: EntryRow | undefined;
  readonly visible: EntryRow | undefined;
}

/** Writes of single entries. Every method runs inside a transaction and refuses before its first change. */
export class EntryWrites {
  readonly #tables: StoreTables;

  constructor(tables: StoreTables) {
    this.#tables = tables;
  }

  /** Reads only. */
  admits(request: Admission): Result<void, WriteRefusal> {
    const { trees, reads, uploads } = this.#tables;
    const { target } = request;
    const tree = trees.find(request.tree);
    if (tree === undefined) return refused("no-such-tree");
    let replaced: { readonly sizeBytes: number } | undefined;
    if (target.kind === "entry") {
      const current = reads.find(tree, target.path);
      replaced = current;
      const failed = failedCondition(request.condition, current);
      if (failed !== undefined) return refused(failed);
    } else {
      const upload = uploads.find(tree.id, target.id);
      replaced = upload && uploads.findPart(upload.number, target.number);
    }
    const growth = {
      bytes: request.sizeBytes - (replaced?.sizeBytes ?? 0),
      entries: target.kind === "entry" && replaced === undefined ? 1 : 0,
    };
    return fitsQuota(tree, growth) ? ok(undefined) : refused("quota-exceeded");
  }

  put(request: PutEntry): Result<Entry, WriteRefusal> {
    const { trees, contents, clock } = this.#tables;
    const tree = trees.find(request.tree);
    if (tree === undefined) return refused("no-such-tree");
    const { row: current, visible } = this.find(tree, request.path);
    const failed = failedCondition(request.condition, visible);
    if (failed !== undefined) return refused(failed);
    const { path, sizeBytes, etag, attributes, content } = request;
    const chunkCount = content.kind === "chunks" ? content.chunks.length : 0;
    const growth = growthOf({ sizeBytes, chunkCount }, current);
    if (!fitsQuota(tree, growth)) return refused("quota-exceeded");

    const nowMs = clock.nowMs();
    const position = this.replace(tree, { path, sizeBytes, etag, current, nowMs });
    const modifiedMs = request.modifiedMs ?? nowMs;
    contents.referListed(request.listed);
    const row: EntryRow = {
      path,
      sizeBytes,
      modifiedMs,
      etag,
      chunkCount,
      position,
      contentId: contents.insert(position, content),
      attributes: encodeAttributes(attributes),
      expiresMs: request.expiresMs ?? 0,
    };
    this.insert(tree, row, growth);
    return ok(entryOf(row, content));
  }

  extend(request: ExtendEntry): Result<Entry, WriteRefusal | "content-shared"> {
    const { trees, contents, changes, clock } = this.#tables;
    const tree = trees.find(request.tree);
    if (tree === undefined) return refused("no-such-tree");
    const { visible: current } = this.find(tree, request.path);
    if (current === undefined || current.position !== request.position) {
      return refused({ kind: "condition-failed", exists: current !== undefined });
    }
    const isSeenElsewhere = current.position <= tree.snapshotPosition;
    if (isSeenElsewhere || contents.isShared(current.contentId)) return refused("content-shared");
    const { path, sizeBytes, etag, attributes, content, kept, listed = [] } = request;
    const { chunks } = content;
    const chunkCount = chunks.length;
    const growth = growthOf({ sizeBytes, chunkCount }, current);
    if (!fitsQuota(tree, growth)) return refused("quota-exceeded");

    const nowMs = clock.nowMs();
    const change = { atMs: nowMs, kind: "put", tree: tree.name, path, sizeBytes, etag } as const;
    const position = changes.append(change);
    const row: EntryRow = {
      path,
      sizeBytes,
      modifiedMs: request.modifiedMs ?? nowMs,
      etag,
      chunkCount,
      position,
      contentId: contents.exchange(current.contentId, {
        id: position,
        chunks,
        listed,
        kept,
        nowMs,
      }),
      attributes: encodeAttributes(attributes),
      expiresMs: request.expiresMs ?? 0,
    };
    this.insert(tree, row, growth);
    return ok(entryOf(row, content));
  }

  delete(request: DeleteEntry): Result<DeletedEntry, "no-such-tree" | ConditionFailed> {
    const tree = this.#tables.trees.find(request.tree);
    if (tree === undefined) return refused("no-such-tree");
    const { row, visible } = this.find(tree, request.path);
    const failed = failedCondition(request.condition, visible);
    if (failed !== undefined) return refused(failed);
    if (row !== undefined) this.remove(tree, row);
    return ok({ existed: visible !== undefined });
  }

  setAttributes(
    name: TreeName,
    path: EntryPath,
    change: { readonly attributes: Attributes; readonly condition?: Condition },
  ): Result<Entry, "no-such-tree" | "no-such-entry" | ConditionFailed> {
    const { trees, entries, changes, clock, moves } = this.#tables;
    const tree = trees.find(name);
    if (tree === undefined) return refused("no-such-tree");
    const { visible: current } = this.find(tree, path);
    if (current === undefined) return refused("no-such-entry");
    const failed = failedCondition(change.condition, current);
    if (failed !== undefined) return refused(failed);
    const { sizeBytes, etag } = current;
    const atMs = clock.nowMs();
    const position = changes.append({ atMs, kind: "put", tree: tree.name, path, sizeBytes, etag });
    moves.retire(tree, current, { until: position, content: "keep-content" });
    const attributes = encodeAttributes(change.attributes);
    entries.put(tree.id, { ...current, attributes, position });
    return ok(this.whole(tree, path));
  }

  rename(
    name: TreeName,
    source: EntryPath,
    target: EntryPath,
  ): Result<Entry, "no-such-tree" | "no-such-entry"> {
    const tree = this.#tables.trees.find(name);
    if (tree === undefined) return refused("no-such-tree");
    const { visible: moved } = this.find(tree, source);
    if (moved === undefined) return refused("no-such-entry");
    if (source !== target) {
      const { row: replaced } = this.find(tree, target);
      if (replaced !== undefined) this.remove(tree, replaced);
      this.move(tree, [{ row: moved, target }]);
    }
    return ok(this.whole(tree, target));
  }

  /** What stands at a path, brought home first. */
  find(tree: TreeState, path: EntryPath): Found {
    const row = this.#tables.moves.current(tree, path);
    const isOver = row !== undefined && isExpired(row, this.#tables.clock.nowMs());
    return { row, visible: isOver ? undefined : row };
  }

  /** Records a put and ends the row that it replaces. Returns the position of the put. */
  replace(
    tree: TreeState,
    put: {
      readonly path: EntryPath;
      readonly sizeBytes: number;
      readonly etag: string;
      readonly current: EntryRow | undefined;
      readonly nowMs: number;
    },
  ): number {
    const { changes, moves } = this.#tables;
    const { path, sizeBytes, etag, current } = put;
    const atMs = put.nowMs;
    const position = changes.append({ atMs, kind: "put", tree: tree.name, path, sizeBytes, etag });
    if (current !== undefined) {
      moves.retire(tree, current, { until: position, content: "free-content" });
    }
    return position;
  }

  /** Puts a row whose growth is known. */
  insert(
    tree: TreeState,
    row: EntryRow,
    growth: { bytes: number; entries: number; chunks: number },
  ): void {
    const { trees, entries } = this.#tables;
    entries.put(tree.id, row);
    trees.count(tree, growth);
    if (row.expiresMs > 0 && !tree.hasExpiring) {
      tree.hasExpiring = true;
      trees.touch(tree);
    }
  }

  /** Takes an entry out of its tree for good. */
  remove(tree: TreeState, row: EntryRow): void {
    const { trees, changes, clock, moves } = this.#tables;
    const { path, sizeBytes, etag, chunkCount } = row;
    const atMs = clock.nowMs();
    const until = changes.append({ atMs, kind: "delete", tree: tree.name, path, sizeBytes, etag });
    moves.retire(tree, row, { until, content: "free-content" });
    moves.delete(tree, path);
    trees.count(tree, { bytes: -sizeBytes, entries: -1, chunks: -chunkCount });
  }

  /** Moves entries to paths that are free, or that are themselves moved away by this very call. */
  move(
    tree: TreeState,
    all: readonly { readonly row: EntryRow; readonly target: EntryPath }[],
  ): void {
    const { entries, changes, clock, moves } = this.#tables;
    const atMs = clock.nowMs();
    const placed: EntryRow[] = [];
    for (const { row, target } of all) {
      const { path, sizeBytes, etag } = row;
      const position = changes.append({
        atMs,
        kind: "rename",
        tree: tree.name,
        path,
        target,
        sizeBytes,
        etag,
      });
      moves.retire(tree, row, { until: position, content: "keep-content" });
      moves.delete(tree, path);
      placed.push({ ...row, path: target, position });
    }
    for (const row of placed) entries.put(tree.id, row);
  }

  whole(tree: TreeState, path: EntryPath): Entry {
    const entry = this.#tables.reads.findWhole(tree, path);
    if (entry === undefined) throw damaged("an entry just written is absent");
    assert(entry.path === path, "an entry has the path it was asked by");
    return entry;
  }
}

/** How a tree grows when something takes the place of a row. */
export function growthOf(
  next: { readonly sizeBytes: number; readonly chunkCount: number },
  current: EntryRow | undefined,
): { bytes: number; entries: number; chunks: number } {
  return {
    bytes: next.sizeBytes - (current?.sizeBytes ?? 0),
    entries: current === undefined ? 1 : 0,
    chunks: next.chunkCount - (current?.chunkCount ?? 0),
  };
}
