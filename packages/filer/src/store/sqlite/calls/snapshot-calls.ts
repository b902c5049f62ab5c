import { type Result, ok, refused } from "@kelp/base";
import type { Snapshots, TreeName } from "@kelp/wire";
import { type SnapshotRow, snapshotOf } from "../snapshot-rows.ts";
import { reading, readingLong } from "./reading.ts";
import { type StoreParts, settled, turn } from "./store-parts.ts";

export function snapshotCalls(parts: StoreParts): Snapshots {
  const { tables, commit, snapshots, listing } = parts;
  const find = (
    name: TreeName,
    snapshot: string,
  ): Result<SnapshotRow, "no-such-tree" | "no-such-snapshot"> => {
    const tree = tables.trees.find(name);
    if (tree === undefined) return refused("no-such-tree");
    const row = tables.snapshots.find(tree.id, snapshot);
    return row === undefined ? refused("no-such-snapshot") : ok(row);
  };
  return {
    createSnapshot: (tree, name) => settled(parts, tree, () => snapshots.create(tree, name)),
    async listSnapshots(name) {
      return reading(() => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        const rows = tables.snapshots.all(tree.id);
        return ok(
          rows.flatMap(({ name: own, ...row }) =>
            own === null ? [] : [snapshotOf({ ...row, name: own })],
          ),
        );
      });
    },
    deleteSnapshot: (tree, name) => commit.run(() => snapshots.delete(tree, name)),
    async getSnapshotEntry(name, snapshot, path) {
      return reading(() => {
        const found = find(name, snapshot);
        if (found.kind === "refused") return found;
        const row = tables.reads.snapshotView(found.value).find(path);
        const entry = tables.reads.wholeOf(row);
        return entry === undefined ? refused("no-such-entry") : ok(entry);
      });
    },
    listSnapshotEntries: (name, snapshot, query) =>
      readingLong(async () => {
        const found = find(name, snapshot);
        if (found.kind === "refused") return found;
        const view = tables.reads.snapshotView(found.value);
        return ok(
          await listing.viewPage(
            () => view,
            query,
            () => turn(parts),
          ),
        );
      }),
    cloneTree: (request) => settled(parts, request.source, () => snapshots.clone(request)),
  };
}
