import { type Clock, type Hashes, type Random, type Result, ok, refused } from "@kelp/base";
import type { ConditionFailed, Entry } from "@kelp/wire";
import { failedCondition } from "../../entry/condition.ts";
import { fitsQuota } from "../../tree/quota.ts";
import type { PutEntry } from "../filer-store.ts";
import {
  type MemoryRow,
  type MemoryState,
  type MemoryTree,
  isOver,
  usageOf,
} from "./memory-state.ts";

export interface MemoryStoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
}

/** What the calls of the memory store share. */
export interface MemoryParts extends MemoryStoreOptions {
  readonly state: MemoryState;
  /** After each change. */
  readonly committed: () => void;
  readonly put: (tree: MemoryTree, put: MemoryPut) => Entry;
}

/** A put whose condition and quota were looked at. */
export interface MemoryPut extends Pick<
  PutEntry,
  "path" | "content" | "sizeBytes" | "etag" | "attributes"
> {
  readonly held: MemoryRow["held"];
  readonly modifiedMs: number;
  readonly expiresMs: number;
}

/** Whether a tree may grow so. */
export function fits(tree: MemoryTree, growth: { bytes: number; entries: number }): boolean {
  return fitsQuota({ usage: usageOf(tree), quota: tree.quota }, growth);
}

/** Whether an entry may be put. */
export function admitted(
  tree: MemoryTree,
  put: Pick<PutEntry, "path" | "sizeBytes"> & {
    readonly condition?: PutEntry["condition"];
    readonly nowMs: number;
    /** Bytes of it that are counted already. */
    readonly countedBytes?: number;
  },
): Result<void, "quota-exceeded" | ConditionFailed> {
  const row = tree.rows.get(put.path);
  const failed = failedCondition(
    put.condition,
    row !== undefined && isOver(row, put.nowMs) ? undefined : row,
  );
  if (failed !== undefined) return refused(failed);
  const bytes = put.sizeBytes - (row?.sizeBytes ?? 0) - (put.countedBytes ?? 0);
  const growth = { bytes, entries: row === undefined ? 1 : 0 };
  return fits(tree, growth) ? ok(undefined) : refused("quota-exceeded");
}
