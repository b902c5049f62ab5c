import { type Result, must, ok, refused } from "@kelp/base";
import type { Attributes, CreateTree, Tree, TreeName, TreeQuota } from "@kelp/wire";
import type { StoreTables } from "./store-tables.ts";
import { type TreeState, treeOf } from "./tree-rows.ts";
import type { UploadWrites } from "./upload-writes.ts";

/** Writes of trees. Every method runs inside a transaction and refuses before its first change. */
export class TreeWrites {
  readonly #tables: StoreTables;
  readonly #uploads: UploadWrites;

  constructor(tables: StoreTables, uploads: UploadWrites) {
    this.#tables = tables;
    this.#uploads = uploads;
  }

  create(request: CreateTree): Result<Tree, "exists"> {
    const { trees, clock } = this.#tables;
    if (trees.find(request.name) !== undefined) return refused("exists");
    const tree = must(trees.insert(request, clock.nowMs()));
    this.#record(tree, "create-tree");
    return ok(treeOf(tree));
  }

  delete(name: TreeName): Result<void, "no-such-tree" | "not-empty"> {
    const { trees } = this.#tables;
    const tree = trees.find(name);
    if (tree === undefined) return refused("no-such-tree");
    if (tree.usage.entries > 0) return refused("not-empty");
    this.#uploads.abortAll(tree);
    trees.delete(tree);
    this.#record(tree, "delete-tree");
    return ok(undefined);
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
    this.#tables.changes.append({
      atMs,
      kind,
      tree: tree.name,
      path: "",
      sizeBytes: 0,
      etag: "",
    });
  }
}
