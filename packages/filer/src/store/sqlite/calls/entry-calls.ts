import { type Result, ok, refused } from "@kelp/base";
import type { ListPage, ListQuery } from "@kelp/wire";
import type { EntryCalls } from "../../filer-store.ts";
import { type RowView, ownView } from "../row-view.ts";
import type { TreeState } from "../tree-rows.ts";
import { reading, readingLong } from "./reading.ts";
import { type StoreParts, turn } from "./store-parts.ts";

export function entryCalls(parts: StoreParts): EntryCalls {
  const { tables, commit, entries, listing } = parts;
  return {
    async getEntry(name, path) {
      return reading(() => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        const entry = tables.hotReads.findWhole(tree, path);
        return entry === undefined ? refused("no-such-entry") : ok(entry);
      });
    },
    async headEntry(name, path) {
      return reading(() => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        const head = tables.hotReads.findHead(tree, path);
        return head === undefined ? refused("no-such-entry") : ok(head);
      });
    },
    listEntries: (name, query) =>
      readingLong(async (): Promise<Result<ListPage, "no-such-tree">> => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        if (tables.reads.view(tree) === undefined) return ok(listing.page(tree.id, query));
        return (await viewPage(parts, tree, query)) ?? refused("no-such-tree");
      }),
    admits: (request) => reading(() => entries.admits(request)),
    putEntry: (request) => commit.run(() => entries.put(request)),
    extendEntry: (request) => commit.run(() => entries.extend(request)),
    deleteEntry: (request) => commit.run(() => entries.delete(request)),
    setEntryAttributes: (name, path, change) =>
      commit.run(() => entries.setAttributes(name, path, change)),
    renameEntry: (name, source, target) => commit.run(() => entries.rename(name, source, target)),
  };
}

/** What a tree shows may change between two reads of a page, and the tree may go. */
async function viewPage(
  parts: StoreParts,
  { id, name }: TreeState,
  query: ListQuery,
): Promise<Result<ListPage, never> | undefined> {
  const { tables, listing } = parts;
  const gone = new Error("Cannot go on listing: the tree is gone");
  const viewNow = (): RowView => {
    const tree = tables.trees.find(name);
    if (tree?.id !== id) throw gone;
    return tables.reads.view(tree) ?? ownView(tables, id, () => true);
  };
  try {
    return ok(await listing.viewPage(viewNow, query, () => turn(parts)));
  } catch (error) {
    if (error === gone) return undefined;
    throw error;
  }
}
