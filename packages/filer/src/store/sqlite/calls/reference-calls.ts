import { LIST_KEYS_MAX } from "@kelp/wire";
import type { PathPlace } from "../../../list/path-place.ts";
import type { References, UsageCheck } from "../../filer-store.ts";
import { type PathRun, uncopiedView } from "../row-view.ts";
import type { StoreTables } from "../store-tables.ts";
import { reading } from "./reading.ts";
import type { StoreParts } from "./store-parts.ts";

export function referenceCalls({ tables, commit, scan }: StoreParts): References {
  const { contents, clock } = tables;
  return {
    addGarbage: (chunks) => commit.run(() => contents.addGarbage(chunks, clock.nowMs())),
    listGarbage: (query) => reading(() => contents.listGarbage(query)),
    dropGarbage: (ids) => commit.run(() => contents.dropGarbage(ids)),
    forgetListed: (chunks) => commit.run(() => contents.forget(chunks)),
    isReferenced: (fid) => reading(() => contents.isReferenced(fid)),
    listReferences: (query) => reading(() => contents.listReferences(query)),
    referenceCount: () => reading(() => contents.referenceCount()),
    scanContents: () => scan.contents(),
    countHolders: () => reading(() => scan.holders()),
    countUsage: () => reading(() => scan.usage().map((found) => withUncopied(tables, found))),
  };
}

/** A copy counts from its first moment what is still to come into its rows. */
function withUncopied(tables: StoreTables, found: UsageCheck): UsageCheck {
  const tree = tables.trees.find(found.tree);
  if (tree?.base === undefined) return found;
  const left = uncopiedView(tables, tree.id, tree.base, "unchecked");
  let { bytes, entries, chunks } = found.counted;
  let place: PathPlace | undefined = { path: "", bound: ">=" };
  while (place !== undefined) {
    const run: PathRun = left.run(place, undefined, LIST_KEYS_MAX);
    for (const row of run.rows) {
      bytes += row.sizeBytes;
      chunks += row.chunkCount;
    }
    entries += run.rows.length;
    place = run.next;
  }
  return { ...found, counted: { bytes, entries, chunks } };
}
