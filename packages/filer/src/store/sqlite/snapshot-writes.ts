import { type Result, must, ok, refused } from "@kelp/base";
import type { CloneTree, Snapshot, Tree, TreeName } from "@kelp/wire";
import { SNAPSHOTS_PER_TREE_MAX } from "../../limits.ts";
import { type SnapshotRow, snapshotOf } from "./snapshot-rows.ts";
import type { StoreTables } from "./store-tables.ts";
import { type TreeState, treeOf } from "./tree-rows.ts";

/**
 * Writes of snapshots and copies. Every method runs inside a transaction and refuses before its first change. Trees that are
 * frozen must be settled: all that they show stands in their own rows.
 */
export class SnapshotWrites {
  readonly #tables: StoreTables;

  constructor(tables: StoreTables) {
    this.#tables = tables;
  }

  create(
    treeName: TreeName,
    name: string,
  ): Result<Snapshot, "no-such-tree" | "exists" | "too-many"> {
    const { trees, snapshots } = this.#tables;
    const tree = trees.find(treeName);
    if (tree === undefined) return refused("no-such-tree");
    if (snapshots.find(tree.id, name) !== undefined) return refused("exists");
    if (snapshots.all(tree.id).length >= SNAPSHOTS_PER_TREE_MAX) return refused("too-many");
    const snapshot = this.#freeze(tree, name);
    return ok(snapshotOf({ ...snapshot, name }));
  }

  delete(treeName: TreeName, name: string): Result<void, "no-such-tree" | "no-such-snapshot"> {
    const { trees, snapshots, changes, clock } = this.#tables;
    const tree = trees.find(treeName);
    if (tree === undefined) return refused("no-such-tree");
    const snapshot = snapshots.find(tree.id, name);
    if (snapshot === undefined) return refused("no-such-snapshot");
    changes.append({ atMs: clock.nowMs(), kind: "delete-snapshot", tree: tree.name, path: name });
    if (snapshots.isInUse(snapshot)) snapshots.unname(snapshot);
    else this.drop(snapshot);
    return ok(undefined);
  }

  clone(request: CloneTree): Result<Tree, "no-such-tree" | "no-such-snapshot" | "exists"> {
    const { trees, snapshots, changes, clock } = this.#tables;
    const source = trees.find(request.source);
    if (source === undefined) return refused("no-such-tree");
    if (trees.find(request.target) !== undefined) return refused("exists");
    const named =
      request.snapshot === undefined ? undefined : snapshots.find(source.id, request.snapshot);
    if (request.snapshot !== undefined && named === undefined) return refused("no-such-snapshot");
    const base = named ?? this.#freeze(source, null);

    const { target: name, owner } = request;
    const { kind, attributes } = source;
    const tree = must(trees.insert({ name, kind, owner, attributes }, clock.nowMs()));
    snapshots.insertBase(tree.id, base);
    tree.base = must(snapshots.baseOf(tree.id));
    tree.quota = source.quota;
    tree.hasExpiring = source.hasExpiring;
    trees.count(tree, { bytes: base.bytes, entries: base.entries, chunks: base.chunks });
    changes.append({
      atMs: clock.nowMs(),
      kind: "clone-tree",
      tree: name,
      path: request.snapshot ?? "",
      target: source.name,
    });
    return ok(treeOf(tree));
  }

  /** Ends a copy whose rows are all there. */
  finishClone(tree: TreeState): void {
    const { snapshots } = this.#tables;
    const snapshot = must(tree.base).snapshot;
    tree.base = undefined;
    this.releaseBase(tree.id, snapshot);
    snapshots.dropWhiteouts(tree.id, LAST_PATH);
  }

  /** A copy no longer needs its snapshot, which goes if its name is gone already. */
  releaseBase(treeId: number, snapshot: SnapshotRow): void {
    const { snapshots } = this.#tables;
    snapshots.deleteBase(treeId);
    if (snapshot.name === null && !snapshots.isInUse(snapshot)) this.drop(snapshot);
  }

  /** The rows that only it saw are removed by a job. */
  drop(snapshot: SnapshotRow): void {
    const { trees, snapshots, jobs } = this.#tables;
    snapshots.delete(snapshot);
    const tree = trees.findById(snapshot.treeId);
    // Of a tree that is gone everything is removed anyway.
    if (tree === undefined) return;
    tree.snapshotPosition = snapshots.newestPosition(tree.id);
    jobs.add("prune-past", tree.id);
  }

  /** `name` is null for what serves a copy alone. */
  #freeze(tree: TreeState, name: string | null): SnapshotRow {
    const { snapshots, changes, clock } = this.#tables;
    const createdMs = clock.nowMs();
    const position =
      name === null
        ? changes.skip()
        : changes.append({
            atMs: createdMs,
            kind: "create-snapshot",
            tree: tree.name,
            path: name,
          });
    const { usage, parts } = tree;
    const snapshot = must(
      snapshots.insert({
        treeId: tree.id,
        name,
        position,
        createdMs,
        bytes: usage.bytes - parts.bytes,
        entries: usage.entries,
        chunks: usage.chunks - parts.chunks,
      }),
    );
    tree.snapshotPosition = position;
    return snapshot;
  }
}

/** Above every path: no text has this character at its beginning more often than a path is long. */
const LAST_PATH = "\u{10FFFF}".repeat(257);
