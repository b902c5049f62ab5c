import { type Result, collectBytes, must } from "@kelp/base";
import type { OpenFiler } from "@kelp/filer";
import type { Entry, EntryPath, ListPage, ListQuery, TreeName, TreeUsage } from "@kelp/wire";
import { describeLeaf, nameOf } from "./forest-state.ts";

/** How the entries of a tree, or of a snapshot, are come by. */
interface Reader {
  readonly place: string;
  list(query: ListQuery): Promise<Result<ListPage, string>>;
  get(path: EntryPath): Promise<Result<Entry, string>>;
}

/**
 * Every tree whose name begins with `prefix`, with its snapshots, as the lines of `describeForest`; every body is read to its
 * end. `judgeUsage` is told what a tree or a snapshot says of itself and what was counted, and may throw.
 */
export async function observeForest(
  filer: OpenFiler,
  prefix: string,
  judgeUsage: (place: string, said: TreeUsage, counted: TreeUsage) => void,
): Promise<string[]> {
  const lines: string[] = [];
  for (const { name: tree, usage } of await filer.listTrees()) {
    if (!tree.startsWith(prefix)) continue;
    lines.push(`tree ${tree}`);
    judgeUsage(tree, usage, await observe(filer, liveReader(filer, tree), lines));
    const snapshots = await filer.listSnapshots(tree);
    if (snapshots.kind === "refused") throw new Error(`Listed but not there: ${tree}`);
    for (const { name, usage: frozen } of snapshots.value) {
      const reader = snapshotReader(filer, tree, name);
      lines.push(`snapshot ${reader.place}`);
      judgeUsage(reader.place, frozen, await observe(filer, reader, lines));
    }
  }
  return lines.sort();
}

function liveReader(filer: OpenFiler, tree: TreeName): Reader {
  return {
    place: tree,
    list: (query) => filer.listEntries(tree, query),
    get: (path) => filer.getEntry(tree, path),
  };
}

function snapshotReader(filer: OpenFiler, tree: TreeName, name: string): Reader {
  return {
    place: nameOf(tree, name),
    list: (query) => filer.listSnapshotEntries(tree, name, query),
    get: (path) => filer.getSnapshotEntry(tree, name, path),
  };
}

/** Adds the entries to `lines`, and counts them. */
async function observe(filer: OpenFiler, reader: Reader, lines: string[]): Promise<TreeUsage> {
  const { place } = reader;
  let [bytes, entries, chunks] = [0, 0, 0];
  let after: string | undefined;
  do {
    const page = await reader.list({ limit: 60, ...(after !== undefined && { after }) });
    if (page.kind === "refused") throw new Error(`Listed but not there: ${place}`);
    for (const item of page.value.items) {
      if (item.kind !== "entry") continue;
      const found = await reader.get(item.path as EntryPath);
      if (found.kind === "refused") throw new Error(`Listed but not there: ${place} ${item.path}`);
      const entry = found.value;
      const body = must(await collectBytes(filer.readFile(entry), entry.sizeBytes));
      const label = entry.attributes["label"] ?? "";
      lines.push(describeLeaf(place, item.path, { bytes: body, label }));
      bytes += body.length;
      entries += 1;
      chunks += entry.content.kind === "chunks" ? entry.content.chunks.length : 0;
    }
    after = page.value.next;
  } while (after !== undefined);
  return { bytes, entries, chunks };
}
