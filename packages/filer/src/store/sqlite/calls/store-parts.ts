import type { TreeName } from "@kelp/wire";
import type { GroupCommit } from "../../../commit/group-commit.ts";
import type { ContentScan } from "../content-scan.ts";
import type { EntryListing } from "../entry-listing.ts";
import type { EntryWrites } from "../entry-writes.ts";
import type { Reclaim } from "../reclaim.ts";
import type { SnapshotWrites } from "../snapshot-writes.ts";
import type { StoreTables } from "../store-tables.ts";
import type { TreeState } from "../tree-rows.ts";
import type { UploadWrites } from "../upload-writes.ts";

/** What the calls of a store are made of. */
export interface StoreParts {
  readonly tables: StoreTables;
  readonly commit: GroupCommit;
  readonly watchers: Set<() => void>;
  readonly entries: EntryWrites;
  readonly uploads: UploadWrites;
  readonly snapshots: SnapshotWrites;
  readonly reclaim: Reclaim;
  readonly listing: EntryListing;
  readonly scan: ContentScan;
  readonly defer: (run: () => void) => void;
}

/** Others have the thread in between. */
export function turn({ defer }: StoreParts): Promise<void> {
  return new Promise((resolve) => defer(resolve));
}

/**
 * Runs work on a tree whose rows all stand in their places: what is still on its way is brought there first, in as many
 * transactions as that takes.
 */
export async function settled<Value>(
  { tables, commit, reclaim }: StoreParts,
  name: TreeName,
  work: (tree: TreeState | undefined) => Value,
): Promise<Value> {
  for (;;) {
    const done = await commit.run(() => {
      const tree = tables.trees.find(name);
      const isSettled = tree?.prefixJob === undefined && tree?.base === undefined;
      if (isSettled) return { value: work(tree) };
      reclaim.settle(tree);
      return undefined;
    });
    if (done !== undefined) return done.value;
  }
}
