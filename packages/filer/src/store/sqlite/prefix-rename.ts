import { type Result, ok, refused } from "@kelp/base";
import {
  ENTRY_PATH_BYTES_MAX,
  type EntryPath,
  TRANSACTION_OPERATIONS_MAX,
  type TreeName,
  parseEntryPath,
} from "@kelp/wire";
import { FilerError } from "../../errors.ts";
import { textAfterPrefix } from "../../list/text-order.ts";
import type { EntryRow } from "./entry-row.ts";
import { isExpired } from "./entry-rows.ts";
import type { EntryWrites } from "./entry-writes.ts";
import type { StoreTables } from "./store-tables.ts";
import type { TreeState } from "./tree-rows.ts";

export type PrefixRenameRefusal = "no-such-tree" | "no-such-entry" | "too-many" | "target-exists";

/**
 * Inside a transaction: moves all entries below a prefix, or begins a job that does when they are many. The tree must be settled.
 * An error is returned, not thrown, for the batch's sake.
 */
export function renamePrefix(
  tables: StoreTables,
  writes: EntryWrites,
  request: {
    readonly tree: TreeName;
    readonly sourcePrefix: string;
    readonly targetPrefix: string;
  },
): Result<{ readonly moved: number | undefined }, PrefixRenameRefusal> | FilerError {
  const { sourcePrefix, targetPrefix } = request;
  const tree = tables.trees.find(request.tree);
  if (tree === undefined) return refused("no-such-tree");
  const end = textAfterPrefix(sourcePrefix);
  const rows = tables.entries.range(tree.id, sourcePrefix, end, TRANSACTION_OPERATIONS_MAX + 1);
  const nowMs = tables.clock.nowMs();
  const found = rows.filter((row) => !isExpired(row, nowMs));
  if (found.length === 0) return refused("no-such-entry");
  if (rows.length > TRANSACTION_OPERATIONS_MAX) return beginMove(tables, tree, request);
  if (sourcePrefix === targetPrefix) return ok({ moved: found.length });

  const moved: { readonly row: EntryRow; readonly target: EntryPath }[] = [];
  for (const row of found) {
    const target = parseEntryPath(targetPrefix + row.path.slice(sourcePrefix.length));
    if (target === undefined) return tooLong();
    // A target that is itself a source moves away in the same step, so it is not in the way.
    const isMovedAway = target.startsWith(sourcePrefix);
    const standing = isMovedAway ? undefined : tables.entries.find(tree.id, target);
    if (standing !== undefined && !isExpired(standing, nowMs)) return refused("target-exists");
    moved.push({ row, target });
  }
  clearTargets(tables, writes, { tree, rows, moved });
  writes.move(tree, moved);
  return ok({ moved: moved.length });
}

/** Entries whose time is over are not moved, but may stand where others go. */
function clearTargets(
  tables: StoreTables,
  writes: EntryWrites,
  work: {
    readonly tree: TreeState;
    readonly rows: readonly EntryRow[];
    readonly moved: readonly { readonly row: EntryRow; readonly target: EntryPath }[];
  },
): void {
  const { tree, rows, moved } = work;
  const kept = new Set(moved.map(({ row }) => row.path));
  for (const row of rows) if (!kept.has(row.path)) writes.remove(tree, row);
  for (const { target } of moved) {
    const standing = kept.has(target) ? undefined : tables.entries.find(tree.id, target);
    if (standing !== undefined) writes.remove(tree, standing);
  }
}

/** From this transaction on readers see the rows below the target; they are moved by later ones. */
function beginMove(
  tables: StoreTables,
  tree: TreeState,
  request: { readonly sourcePrefix: string; readonly targetPrefix: string },
): Result<{ readonly moved: undefined }, PrefixRenameRefusal> | FilerError {
  const { sourcePrefix: source, targetPrefix: target } = request;
  if (source.startsWith(target) || target.startsWith(source)) return refused("too-many");
  const standing = tables.entries.range(tree.id, target, textAfterPrefix(target), 1);
  if (standing.length > 0) return refused("target-exists");
  const growth = Buffer.byteLength(target) - Buffer.byteLength(source);
  if (growth > 0 && !pathsFit(tables, tree, { source, growth })) return tooLong();
  beginPrefixJob(tables, tree, { kind: "rename-prefix", source, target });
  return ok({ moved: undefined });
}

/** Records a prefix change and the job that carries it out. */
export function beginPrefixJob(
  tables: StoreTables,
  tree: TreeState,
  work:
    | { readonly kind: "rename-prefix"; readonly source: string; readonly target: string }
    | { readonly kind: "delete-prefix"; readonly source: string; readonly target?: undefined },
): void {
  const { kind, source, target } = work;
  const position = tables.changes.append({
    atMs: tables.clock.nowMs(),
    kind,
    tree: tree.name,
    path: source,
    ...(target !== undefined && { target }),
  });
  const job = { treeId: tree.id, position, source, target: target ?? null };
  tables.jobs.addPrefix(job);
  tree.prefixJob = job;
}

function pathsFit(
  tables: StoreTables,
  tree: TreeState,
  move: { readonly source: string; readonly growth: number },
): boolean {
  const longestBytes = tables.entries.longestPathBytes(
    tree.id,
    move.source,
    textAfterPrefix(move.source),
  );
  return longestBytes + move.growth <= ENTRY_PATH_BYTES_MAX;
}

function tooLong(): FilerError {
  return new FilerError("invalid-path", "Cannot rename prefix: a path would be empty or too long");
}
