import { type Result, collectBytes, must } from "@kelp/base";
import type { OpenFiler } from "@kelp/filer";
import type { EntryPath, ListPage, TreeName } from "@kelp/wire";
import { describeObject, describePart } from "./worker-state.ts";

/** Everything in a tree as lines, each body read to its end. Sorted. */
export async function observeTree(filer: OpenFiler, tree: TreeName): Promise<string[]> {
  const lines = [...(await observeObjects(filer, tree)), ...(await observeParts(filer, tree))];
  return lines.sort();
}

async function observeObjects(filer: OpenFiler, tree: TreeName): Promise<string[]> {
  const lines: string[] = [];
  let after: string | undefined;
  do {
    const page: Result<ListPage, "no-such-tree"> = await filer.listEntries(tree, {
      limit: 100,
      ...(after === undefined ? {} : { after }),
    });
    if (page.kind === "refused") return lines;
    for (const item of page.value.items) {
      if (item.kind !== "entry") continue;
      const found = await filer.getEntry(tree, item.path as EntryPath);
      if (found.kind === "refused") throw new Error(`Listed but not there: ${item.path}`);
      const entry = found.value;
      const bytes = must(await collectBytes(filer.readFile(entry), entry.sizeBytes));
      lines.push(describeObject(item.path, bytes, entry.attributes["label"] ?? ""));
      if (item.sizeBytes !== bytes.length)
        throw new Error(`Listed with another size: ${item.path}`);
    }
    after = page.value.next;
  } while (after !== undefined);
  return lines;
}

async function observeParts(filer: OpenFiler, tree: TreeName): Promise<string[]> {
  const lines: string[] = [];
  const page = await filer.listUploads(tree, { limit: 1000 });
  if (page.kind === "refused") return lines;
  for (const item of page.value.items) {
    if (item.kind !== "upload") continue;
    const { id, path } = item.upload;
    const parts = await filer.listParts(tree, id, { afterNumber: 0, limit: 1000 });
    if (parts.kind === "refused") throw new Error(`Listed but not there: upload ${id}`);
    for (const part of parts.value.parts) lines.push(describePart(path, { ...part, id }));
  }
  return lines;
}
