import type { TreeName } from "../../ids.ts";

export interface Changes {
  /** Committed changes after `position`, oldest first. Positions have gaps, never repeats. */
  readChanges(query: { readonly after: number; readonly limit: number }): Promise<Change[]>;
}

export interface ChangeFeed extends Changes {
  /**
   * Every change after a position, and then each new one as it is committed, until `signal` aborts or the consumer leaves. A slow
   * consumer holds one page in memory; one that falls behind what the log keeps is told `position-gone`, and the stream ends.
   */
  subscribe(query: Subscribe): AsyncIterable<FeedItem>;
}

export interface Subscribe {
  /** Of the last change that was dealt with; 0 for all that is kept. */
  readonly after: number;
  /** Only trees whose name starts with this. */
  readonly treePrefix?: string;
  readonly signal: AbortSignal;
}

export type FeedItem =
  | { readonly kind: "change"; readonly change: Change }
  /** All up to `position` was given or filtered out: a consumer may resume there. */
  | { readonly kind: "caught-up"; readonly position: number }
  /**
   * Changes after the wanted position are no longer kept, or it was never reached here (the store was restored since); the first
   * change that is left comes after `keptAfter`.
   */
  | { readonly kind: "position-gone"; readonly keptAfter: number };

export interface Change {
  readonly position: number;
  readonly atMs: number;
  readonly kind: ChangeKind;
  readonly tree: TreeName;
  /** Path, prefix (of the prefix kinds) or snapshot's name; "" for trees. */
  readonly path: string;
  /** Where a renamed entry or prefix went; the tree that a clone was made of; "" otherwise. */
  readonly target: string;
  readonly sizeBytes: number;
  readonly etag: string;
}

/** A prefix kind stands for all entries below the prefix: they have no changes of their own. */
export type ChangeKind =
  | "put"
  | "delete"
  | "rename"
  | "rename-prefix"
  | "delete-prefix"
  | "create-tree"
  | "clone-tree"
  | "delete-tree"
  | "create-snapshot"
  | "delete-snapshot";
