import type { Result } from "@kelp/base";
import type { EntryPath, TreeName } from "../../ids.ts";
import type { Entry, ListPage, ListQuery } from "./entries.ts";
import type { Tree, TreeUsage } from "./trees.ts";

/**
 * Frozen states of a tree, and trees that begin as a copy of one. Taking one costs the same whatever the tree holds; from then on
 * the first change of an entry keeps its former row. Content is shared, and freed when nothing names it any more.
 */
export interface Snapshots {
  /** Waits for a prefix job or a copy that still runs on the tree. */
  createSnapshot(
    tree: TreeName,
    name: string,
  ): Promise<Result<Snapshot, "no-such-tree" | "exists" | "too-many">>;
  /** Oldest first. */
  listSnapshots(tree: TreeName): Promise<Result<Snapshot[], "no-such-tree">>;
  /** What only this snapshot sees is reclaimed in the background. */
  deleteSnapshot(
    tree: TreeName,
    name: string,
  ): Promise<Result<void, "no-such-tree" | "no-such-snapshot">>;
  getSnapshotEntry(
    tree: TreeName,
    snapshot: string,
    path: EntryPath,
  ): Promise<Result<Entry, "no-such-tree" | "no-such-snapshot" | "no-such-entry">>;
  listSnapshotEntries(
    tree: TreeName,
    snapshot: string,
    query: ListQuery,
  ): Promise<Result<ListPage, "no-such-tree" | "no-such-snapshot">>;
  /**
   * Makes a tree that holds what `source` holds, or held at the snapshot: complete to readers and writers at once, while its rows
   * are copied in the background. It has the kind, attributes and quota of the source, and usage of its own.
   */
  cloneTree(
    request: CloneTree,
  ): Promise<Result<Tree, "no-such-tree" | "no-such-snapshot" | "exists">>;
}

export interface Snapshot {
  readonly name: string;
  readonly createdMs: number;
  /** The changes up to this position are in it. */
  readonly position: number;
  /** Of the entries in it; parts of uploads are not. */
  readonly usage: TreeUsage;
}

export interface CloneTree {
  readonly source: TreeName;
  /** Default: the tree as it is now. */
  readonly snapshot?: string;
  readonly target: TreeName;
  readonly owner: string;
}
