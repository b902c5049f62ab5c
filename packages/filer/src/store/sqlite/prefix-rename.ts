import { type Result, must, ok, refused } from "@kelp/base";
import {
  type EntryPath,
  TRANSACTION_OPERATIONS_MAX,
  type TreeName,
  parseEntryPath,
} from "@kelp/wire";
import { FilerError } from "../../errors.ts";
import { textAfterPrefix } from "../../list/text-order.ts";
import type { EntryRow } from "./entry-rows.ts";
import type { EntryWrites } from "./entry-writes.ts";
import type { StoreTables } from "./store-tables.ts";

export type PrefixRenameRefusal = "no-such-tree" | "no-such-entry" | "too-many" | "target-exists";

/** Inside a transaction: moves all entries below a prefix. An error is returned, not thrown, for the batch's sake. */
export function renamePrefix(
  tables: StoreTables,
  writes: EntryWrites,
  request: {
    readonly tree: TreeName;
    readonly sourcePrefix: string;
    readonly targetPrefix: string;
  },
): Result<{ readonly moved: number }, PrefixRenameRefusal> | FilerError {
  const { sourcePrefix, targetPrefix } = request;
  const tree = tables.trees.find(request.tree);
  if (tree === undefined) return refused("no-such-tree");
  const end = textAfterPrefix(sourcePrefix);
  const rows = tables.entries.range(tree.id, sourcePrefix, end, TRANSACTION_OPERATIONS_MAX + 1);
  if (rows.length === 0) return refused("no-such-entry");
  if (rows.length > TRANSACTION_OPERATIONS_MAX) return refused("too-many");
  if (sourcePrefix === targetPrefix) return ok({ moved: rows.length });

  const moves = new Map<EntryRow, EntryPath>();
  for (const row of rows) {
    const target = parseEntryPath(targetPrefix + row.path.slice(sourcePrefix.length));
    if (target === undefined) {
      return new FilerError(
        "invalid-path",
        "Cannot rename prefix: a path would be empty or too long",
      );
    }
    // A target that is itself a source moves away in the same step, so it is not in the way.
    const isMovedAway = target.startsWith(sourcePrefix);
    if (!isMovedAway && tables.entries.find(tree.id, target) !== undefined) {
      return refused("target-exists");
    }
    moves.set(row, target);
  }
  for (const row of rows) writes.remove(tree, row, "keep-content");
  for (const row of rows) writes.place(tree, row, must(moves.get(row)));
  return ok({ moved: rows.length });
}
