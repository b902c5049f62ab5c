import { type Clock, type Result, must, ok, refused } from "@kelp/base";
import {
  type Entry,
  type EntryPath,
  type Snapshot,
  type Snapshots,
  TRANSACTION_OPERATIONS_MAX,
  type TreeName,
  type Trees,
  parseEntryPath,
} from "@kelp/wire";
import { failedCondition } from "../../entry/condition.ts";
import { FilerError } from "../../errors.ts";
import { compareText } from "../../list/text-order.ts";
import { CHANGES_KEPT_MAX, SNAPSHOTS_PER_TREE_MAX } from "../../limits.ts";
import { changedQuota } from "../../tree/quota.ts";
import type { EntryCalls, FilerStore, PrefixCalls } from "../filer-store.ts";
import { listRows } from "./memory-listing.ts";
import {
  type MemoryRow,
  type MemorySnapshot,
  MemoryState,
  type MemoryTree,
  isOver,
  memoryEntryOf,
  memoryTreeOf,
  usageOfRows,
} from "./memory-state.ts";
import {
  type MemoryParts,
  type MemoryPut,
  type MemoryStoreOptions,
  admitted,
  fits,
} from "./memory-parts.ts";
import { memoryReferences } from "./memory-references.ts";
import { memoryUploads } from "./memory-uploads.ts";

/** A metadata store in memory that does everything at once, for tests: nothing of it survives. */
export function openMemoryStore(options: MemoryStoreOptions): FilerStore {
  const state = new MemoryState();
  const watchers = new Set<() => void>();
  const committed = (): void => {
    for (const watcher of watchers) watcher();
  };
  const parts: MemoryParts = {
    ...options,
    state,
    committed,
    put: (tree, put) => putRow(state, options.clock, { tree, put }),
  };
  return {
    ...treeCalls(parts),
    ...entryCalls(parts),
    ...prefixCalls(parts),
    ...snapshotCalls(parts),
    ...memoryUploads(parts),
    ...memoryReferences(parts),
    async readChanges({ after, limit }) {
      return state.changes.filter(({ position }) => position > after).slice(0, limit);
    },
    changeBounds: () => ({
      newest: state.position,
      keptAfter: Math.max(0, state.position - CHANGES_KEPT_MAX),
    }),
    watchCommits(listener) {
      const watcher = (): void => listener();
      watchers.add(watcher);
      return { [Symbol.dispose]: () => void watchers.delete(watcher) };
    },
    async reclaim() {
      return removeExpired(parts);
    },
    [Symbol.dispose]: () => undefined,
  };
}

function treeCalls({ state, clock, committed }: MemoryParts): Trees {
  const nowMs = (): number => clock.nowMs();
  return {
    async createTree({ name, kind, owner, attributes = {} }) {
      if (state.trees.has(name)) return refused("exists");
      const tree = newTree({ name, kind, owner, attributes, createdMs: nowMs(), quota: undefined });
      state.trees.set(name, tree);
      state.record({ atMs: nowMs(), kind: "create-tree", tree: name });
      committed();
      return ok(memoryTreeOf(tree));
    },
    async getTree(name) {
      const tree = state.trees.get(name);
      return tree && memoryTreeOf(tree);
    },
    async listTrees() {
      const trees = [...state.trees.values()].map(memoryTreeOf);
      return trees.sort((left, right) => compareText(left.name, right.name));
    },
    async deleteTree(name, how) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      const isHeld = tree.snapshots.size > 0 || visibleRows(tree, nowMs()).length > 0;
      if (isHeld && how?.contents !== "discard") return refused("not-empty");
      for (const row of tree.rows.values()) state.release(row.held, nowMs());
      for (const snapshot of tree.snapshots.values()) {
        for (const row of snapshot.rows.values()) state.release(row.held, nowMs());
      }
      for (const upload of tree.uploads.values()) {
        for (const part of upload.parts.values()) state.free(part.chunks, nowMs());
      }
      state.trees.delete(name);
      state.record({ atMs: nowMs(), kind: "delete-tree", tree: name });
      committed();
      return ok(undefined);
    },
    async setQuota(name, change) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      tree.quota = changedQuota(tree.quota, change);
      return ok(memoryTreeOf(tree));
    },
    async setTreeAttributes(name, attributes) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      tree.attributes = attributes;
      return ok(memoryTreeOf(tree));
    },
  };
}

function entryCalls(parts: MemoryParts): EntryCalls {
  const { state, clock, committed } = parts;
  const visible = (tree: MemoryTree, path: EntryPath): MemoryRow | undefined => {
    const row = tree.rows.get(path);
    return row !== undefined && isOver(row, clock.nowMs()) ? undefined : row;
  };
  return {
    async getEntry(name, path) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      const row = visible(tree, path);
      return row === undefined ? refused("no-such-entry") : ok(memoryEntryOf(row));
    },
    async headEntry(name, path) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      const row = visible(tree, path);
      if (row === undefined) return refused("no-such-entry");
      const { content: _unread, ...head } = memoryEntryOf(row);
      return ok(head);
    },
    async listEntries(name, query) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      return ok(listRows(visibleRows(tree, clock.nowMs()), query));
    },
    admits({ tree: name, target, sizeBytes, condition }) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      if (target.kind === "part") {
        const part = tree.uploads.get(target.id)?.parts.get(target.number);
        const bytes = sizeBytes - (part?.sizeBytes ?? 0);
        return fits(tree, { bytes, entries: 0 }) ? ok(undefined) : refused("quota-exceeded");
      }
      return admitted(tree, { path: target.path, sizeBytes, condition, nowMs: clock.nowMs() });
    },
    async putEntry(request) {
      const tree = state.trees.get(request.tree);
      if (tree === undefined) return refused("no-such-tree");
      const nowMs = clock.nowMs();
      const verdict = admitted(tree, { ...request, nowMs });
      if (verdict.kind === "refused") return verdict;
      const held = state.hold(request.content, request.listed ?? []);
      const { modifiedMs = nowMs, expiresMs = 0 } = request;
      const entry = parts.put(tree, { ...request, held, modifiedMs, expiresMs });
      committed();
      return ok(entry);
    },
    async extendEntry(request) {
      const tree = state.trees.get(request.tree);
      if (tree === undefined) return refused("no-such-tree");
      const nowMs = clock.nowMs();
      const condition = { kind: "position", position: request.position } as const;
      const failed = failedCondition(condition, visible(tree, request.path));
      if (failed !== undefined) return refused(failed);
      const { held: former } = must(tree.rows.get(request.path));
      if (former.holders > 1) return refused("content-shared");
      const verdict = admitted(tree, { ...request, nowMs });
      if (verdict.kind === "refused") return verdict;
      const { modifiedMs = nowMs, expiresMs = 0 } = request;
      const held = state.extend(former, { ...request, nowMs });
      const entry = parts.put(tree, { ...request, held, modifiedMs, expiresMs });
      committed();
      return ok(entry);
    },
    async deleteEntry({ tree: name, path, condition }) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      const failed = failedCondition(condition, visible(tree, path));
      if (failed !== undefined) return refused(failed);
      const existed = visible(tree, path) !== undefined;
      const row = tree.rows.get(path);
      if (row !== undefined) removeRow(parts, tree, row);
      return ok({ existed });
    },
    async setEntryAttributes(name, path, { attributes, condition }) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      const row = visible(tree, path);
      if (row === undefined) return refused("no-such-entry");
      const failed = failedCondition(condition, row);
      if (failed !== undefined) return refused(failed);
      const { sizeBytes, etag } = row;
      const change = {
        atMs: clock.nowMs(),
        kind: "put",
        tree: name,
        path,
        sizeBytes,
        etag,
      } as const;
      const changed = { ...row, attributes, position: state.record(change) };
      tree.rows.set(path, changed);
      committed();
      return ok(memoryEntryOf(changed));
    },
    async renameEntry(name, source, target) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      const row = visible(tree, source);
      if (row === undefined) return refused("no-such-entry");
      if (source === target) return ok(memoryEntryOf(row));
      const replaced = tree.rows.get(target);
      if (replaced !== undefined) removeRow(parts, tree, replaced);
      moveRows(parts, tree, [{ row, target }]);
      return ok(memoryEntryOf(must(tree.rows.get(target))));
    },
  };
}

function prefixCalls(parts: MemoryParts): PrefixCalls {
  const { state, clock, committed } = parts;
  return {
    async renamePrefix(name, source, target) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      const nowMs = clock.nowMs();
      const all = sortedRows(tree).filter(({ path }) => path.startsWith(source));
      const rows = all.filter((row) => !isOver(row, nowMs));
      if (rows.length === 0) return refused("no-such-entry");
      const isLarge = all.length > TRANSACTION_OPERATIONS_MAX;
      if (isLarge) {
        if (source.startsWith(target) || target.startsWith(source)) return refused("too-many");
        const isTaken = [...tree.rows.keys()].some((path) => path.startsWith(target));
        if (isTaken) return refused("target-exists");
      }
      if (source === target) return ok({ moved: rows.length });
      const moves: { row: MemoryRow; target: EntryPath }[] = [];
      for (const row of rows) {
        const path = parseEntryPath(target + row.path.slice(source.length));
        if (path === undefined) throw new FilerError("invalid-path", "Cannot rename: too long");
        const standing = path.startsWith(source) ? undefined : tree.rows.get(path);
        if (standing !== undefined && !isOver(standing, nowMs)) return refused("target-exists");
        moves.push({ row, target: path });
      }
      if (!isLarge) {
        const kept = new Set<string>(rows.map(({ path }) => path));
        for (const row of all) if (!kept.has(row.path)) removeRow(parts, tree, row);
        for (const move of moves) {
          const standing = kept.has(move.target) ? undefined : tree.rows.get(move.target);
          if (standing !== undefined) removeRow(parts, tree, standing);
        }
        moveRows(parts, tree, moves);
        return ok({ moved: moves.length });
      }
      const change = {
        atMs: nowMs,
        kind: "rename-prefix",
        tree: name,
        path: source,
        target,
      } as const;
      const position = state.record(change);
      for (const row of all) tree.rows.delete(row.path);
      for (const row of all) {
        const path = (target + row.path.slice(source.length)) as EntryPath;
        tree.rows.set(path, { ...row, path, position });
      }
      committed();
      return ok({ moved: undefined });
    },
    async deletePrefix(name, prefix) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      for (const row of tree.rows.values()) {
        if (!row.path.startsWith(prefix)) continue;
        tree.rows.delete(row.path);
        state.release(row.held, clock.nowMs());
      }
      state.record({ atMs: clock.nowMs(), kind: "delete-prefix", tree: name, path: prefix });
      committed();
      return ok(undefined);
    },
  };
}

function snapshotCalls({ state, clock, committed }: MemoryParts): Snapshots {
  const find = (
    name: TreeName,
    snapshot: string,
  ): Result<MemorySnapshot, "no-such-tree" | "no-such-snapshot"> => {
    const tree = state.trees.get(name);
    if (tree === undefined) return refused("no-such-tree");
    const found = tree.snapshots.get(snapshot);
    return found === undefined ? refused("no-such-snapshot") : ok(found);
  };
  const seen = ({ rows, createdMs }: MemorySnapshot): MemoryRow[] =>
    [...rows.values()].filter((row) => !isOver(row, createdMs));
  return {
    async createSnapshot(name, snapshot) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      if (tree.snapshots.has(snapshot)) return refused("exists");
      if (tree.snapshots.size >= SNAPSHOTS_PER_TREE_MAX) return refused("too-many");
      const createdMs = clock.nowMs();
      const change = {
        atMs: createdMs,
        kind: "create-snapshot",
        tree: name,
        path: snapshot,
      } as const;
      for (const row of tree.rows.values()) row.held.holders += 1;
      const made = { position: state.record(change), createdMs, rows: new Map(tree.rows) };
      tree.snapshots.set(snapshot, made);
      committed();
      return ok(memorySnapshotOf(snapshot, made));
    },
    async listSnapshots(name) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      return ok([...tree.snapshots].map(([own, snapshot]) => memorySnapshotOf(own, snapshot)));
    },
    async deleteSnapshot(name, snapshot) {
      const found = find(name, snapshot);
      if (found.kind === "refused") return found;
      for (const row of found.value.rows.values()) state.release(row.held, clock.nowMs());
      must(state.trees.get(name)).snapshots.delete(snapshot);
      state.record({ atMs: clock.nowMs(), kind: "delete-snapshot", tree: name, path: snapshot });
      committed();
      return ok(undefined);
    },
    async getSnapshotEntry(name, snapshot, path) {
      const found = find(name, snapshot);
      if (found.kind === "refused") return found;
      const row = seen(found.value).find((one) => one.path === path);
      return row === undefined ? refused("no-such-entry") : ok(memoryEntryOf(row));
    },
    async listSnapshotEntries(name, snapshot, query) {
      const found = find(name, snapshot);
      return found.kind === "refused" ? found : ok(listRows(seen(found.value), query));
    },
    async cloneTree({ source: sourceName, snapshot, target, owner }) {
      const source = state.trees.get(sourceName);
      if (source === undefined) return refused("no-such-tree");
      if (state.trees.has(target)) return refused("exists");
      const named = snapshot === undefined ? undefined : source.snapshots.get(snapshot);
      if (snapshot !== undefined && named === undefined) return refused("no-such-snapshot");
      if (snapshot === undefined) state.skip();
      const { kind, attributes, quota } = source;
      const createdMs = clock.nowMs();
      const tree = newTree({ name: target, kind, owner, attributes, createdMs, quota });
      for (const row of (named ?? source).rows.values()) {
        row.held.holders += 1;
        tree.rows.set(row.path, row);
      }
      state.trees.set(target, tree);
      const change = { kind: "clone-tree", path: snapshot ?? "", target: sourceName } as const;
      state.record({ ...change, atMs: createdMs, tree: target });
      committed();
      return ok(memoryTreeOf(tree));
    },
  };
}

function newTree(
  tree: Pick<MemoryTree, "name" | "kind" | "owner" | "attributes" | "createdMs" | "quota">,
): MemoryTree {
  return {
    ...tree,
    rows: new Map(),
    uploads: new Map(),
    completed: new Map(),
    snapshots: new Map(),
  };
}

function memorySnapshotOf(name: string, snapshot: MemorySnapshot): Snapshot {
  const { createdMs, position, rows } = snapshot;
  return { name, createdMs, position, usage: usageOfRows(rows.values()) };
}

function putRow(
  state: MemoryState,
  clock: Clock,
  { tree, put }: { readonly tree: MemoryTree; readonly put: MemoryPut },
): Entry {
  const nowMs = clock.nowMs();
  const { path, sizeBytes, etag, attributes, held, modifiedMs, expiresMs } = put;
  const replaced = tree.rows.get(path);
  const position = state.record({
    atMs: nowMs,
    kind: "put",
    tree: tree.name,
    path,
    sizeBytes,
    etag,
  });
  if (replaced !== undefined) state.release(replaced.held, nowMs);
  const row = { path, sizeBytes, etag, attributes, held, modifiedMs, expiresMs, position };
  tree.rows.set(path, row);
  return memoryEntryOf(row);
}

function removeRow(
  { state, clock, committed }: MemoryParts,
  tree: MemoryTree,
  row: MemoryRow,
): void {
  const { path, sizeBytes, etag } = row;
  state.record({ atMs: clock.nowMs(), kind: "delete", tree: tree.name, path, sizeBytes, etag });
  tree.rows.delete(path);
  state.release(row.held, clock.nowMs());
  committed();
}

function moveRows(
  { state, clock, committed }: MemoryParts,
  tree: MemoryTree,
  moves: readonly { readonly row: MemoryRow; readonly target: EntryPath }[],
): void {
  const placed: MemoryRow[] = [];
  for (const { row, target } of moves) {
    const { path, sizeBytes, etag } = row;
    const position = state.record({
      atMs: clock.nowMs(),
      kind: "rename",
      tree: tree.name,
      path,
      target,
      sizeBytes,
      etag,
    });
    tree.rows.delete(path);
    placed.push({ ...row, path: target, position });
  }
  for (const row of placed) tree.rows.set(row.path, row);
  committed();
}

function removeExpired(parts: MemoryParts): boolean {
  const nowMs = parts.clock.nowMs();
  let removed = 0;
  for (const tree of parts.state.trees.values()) {
    for (const row of sortedRows(tree)) {
      if (!isOver(row, nowMs)) continue;
      removeRow(parts, tree, row);
      removed += 1;
    }
  }
  return removed > 0;
}

function sortedRows(tree: MemoryTree): MemoryRow[] {
  return [...tree.rows.values()].sort((left, right) => compareText(left.path, right.path));
}

function visibleRows(tree: MemoryTree, nowMs: number): MemoryRow[] {
  return [...tree.rows.values()].filter((row) => !isOver(row, nowMs));
}
