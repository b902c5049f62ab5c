import type { Result } from "@kelp/base";
import type { TreeName } from "../../ids.ts";
import type { Attributes } from "./entries.ts";

export interface Trees {
  createTree(request: CreateTree): Promise<Result<Tree, "exists">>;
  getTree(name: TreeName): Promise<Tree | undefined>;
  /** By name, in byte order. */
  listTrees(): Promise<Tree[]>;
  /**
   * Refuses while entries or snapshots exist, unless they are to be discarded; open uploads are aborted with it. The name and
   * the usage are free at once, whatever the tree held; the content is reclaimed in the background.
   */
  deleteTree(
    name: TreeName,
    options?: DeleteTree,
  ): Promise<Result<void, "no-such-tree" | "not-empty">>;
  /** Changes the bounds that are named and leaves the others. Writes over them are refused from the next transaction on. */
  setQuota(name: TreeName, change: QuotaChange): Promise<Result<Tree, "no-such-tree">>;
  /** Replaces the attributes: the gateway's own settings of the tree, such as a bucket's configuration documents. */
  setTreeAttributes(name: TreeName, attributes: Attributes): Promise<Result<Tree, "no-such-tree">>;
}

export interface CreateTree {
  readonly name: TreeName;
  readonly kind: TreeKind;
  /** Name of the identity that made it. */
  readonly owner: string;
  readonly attributes?: Attributes;
}

export interface DeleteTree {
  /** What becomes of entries and snapshots. Default `refuse`. */
  readonly contents: "refuse" | "discard";
}

export type TreeKind = "bucket" | "csi-volume" | "root";

export interface Tree {
  readonly name: TreeName;
  readonly kind: TreeKind;
  readonly owner: string;
  readonly createdMs: number;
  readonly usage: TreeUsage;
  readonly quota: TreeQuota | undefined;
  readonly attributes: Attributes;
}

/**
 * Exact after every transaction. Logical: content that several entries, trees or snapshots share counts in each tree whose
 * entries name it, and what only snapshots see counts nowhere.
 */
export interface TreeUsage {
  /** Of entries and of uploaded parts alike. */
  readonly bytes: number;
  /** Entries alone. */
  readonly entries: number;
  readonly chunks: number;
}

/** A write that would grow a counter beyond its bound is refused; what does not grow it never is. */
export interface TreeQuota {
  readonly bytes?: number;
  readonly entries?: number;
}

/** A number sets the bound, `null` lifts it, absence leaves it as it is. */
export type QuotaChange = { readonly [bound in keyof TreeQuota]?: number | null };
