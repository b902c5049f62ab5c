import { type Result, must, ok, refused } from "@kelp/base";
import {
  type Attributes,
  type CreateTree,
  type DeleteTree,
  LIST_KEYS_MAX,
  type Tree,
  type TreeName,
  type TreeQuota,
} from "@kelp/wire";
import type { PathPlace } from "../../list/path-place.ts";
import type { PathRun } from "./row-view.ts";
import type { SnapshotWrites } from "./snapshot-writes.ts";
import type { StoreTables } from "./store-tables.ts";
import { type TreeState, treeOf } from "./tree-rows.ts";

/** Reads of up to `LIST_KEYS_MAX` rows until a tree that shows none of them is taken for one that holds something. */
const EMPTY_TREE_READS_MAX = 10;

/** Writes of trees. Every method runs inside a transaction and refuses before its first change. */
export class TreeWrites {
  readonly #tables: StoreTables;
  readonly #snapshots: SnapshotWrites;

  constructor(tables: StoreTables, snapshots: SnapshotWrites) {
    this.#tables = tables;
    this.#snapshots = snapshots;
  }

  create(request: CreateTree): Result<Tree, "exists"> {
    const { trees, clock } = this.#tables;
    if (trees.find(request.name) !== undefined) return refused("exists");
    const tree = must(trees.insert(request, clock.nowMs()));
    this.#record(tree, "create-tree");
    return ok(treeOf(tree));
  }

  /** The tree is gone with the transaction, its rows with later ones. */
  delete(name: TreeName, options?: DeleteTree): Result<void, "no-such-tree" | "not-empty"> {
    const { trees, snapshots, jobs } = this.#tables;
    const tree = trees.find(name);
    if (tree === undefined) return refused("no-such-tree");
    const taken = snapshots.all(tree.id);
    if (options?.contents !== "discard") {
      const isHeld = taken.some((snapshot) => snapshot.name !== null) || this.#hasEntries(tree);
      if (isHeld) return refused("not-empty");
    }
    for (const snapshot of taken) {
      if (snapshots.isInUse(snapshot)) snapshots.unname(snapshot);
      else snapshots.delete(snapshot);
    }
    trees.delete(tree);
    // Nobody looks through marks of a tree that is gone.
    if (tree.base !== undefined) this.#snapshots.releaseBase(tree.id, tree.base.snapshot);
    jobs.finishPrefix(tree.id);
    jobs.add("drop-tree", tree.id);
    this.#record(tree, "delete-tree");
    return ok(undefined);
  }

  /** Entries whose time is over, or whose prefix is being deleted, are none, though they are still counted. */
  #hasEntries(tree: TreeState): boolean {
    if (tree.usage.entries === 0) return false;
    const view = this.#tables.reads.view(tree);
    if (view === undefined) return true;
    let place: PathPlace | undefined = { path: "", bound: ">=" };
    for (let reads = 0; place !== undefined; reads += 1) {
      // Whoever must look so far is told that something is there: the background work will have removed it soon.
      if (reads >= EMPTY_TREE_READS_MAX) return true;
      const run: PathRun = view.run(place, undefined, LIST_KEYS_MAX);
      if (run.rows.length > 0) return true;
      place = run.next;
    }
    return false;
  }

  setQuota(name: TreeName, quota: TreeQuota | undefined): Result<Tree, "no-such-tree"> {
    return this.#change(name, (tree) => {
      tree.quota = quota;
    });
  }

  setAttributes(name: TreeName, attributes: Attributes): Result<Tree, "no-such-tree"> {
    return this.#change(name, (tree) => {
      tree.attributes = attributes;
    });
  }

  #change(name: TreeName, change: (tree: TreeState) => void): Result<Tree, "no-such-tree"> {
    const { trees } = this.#tables;
    const tree = trees.find(name);
    if (tree === undefined) return refused("no-such-tree");
    change(tree);
    trees.touch(tree);
    return ok(treeOf(tree));
  }

  #record(tree: TreeState, kind: "create-tree" | "delete-tree"): void {
    const atMs = this.#tables.clock.nowMs();
    this.#tables.changes.append({ atMs, kind, tree: tree.name });
  }
}
