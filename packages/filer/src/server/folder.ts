import {
  type Entry,
  type EntryPath,
  type Filer,
  LIST_KEYS_MAX,
  type ListItem,
  type TreeName,
} from "@kelp/wire";
import { FOLDER_WORK_AT_ONCE_MAX } from "./limits.ts";
import type { FolderPath } from "./filer-path.ts";

/** Folders: there is one where an entry has a name below it, or where one was made and is an empty entry itself. */

/** Whether anything has a name below the prefix, the prefix itself included. The top of a tree is there when the tree is. */
export async function folderExists(filer: Filer, folder: FolderPath): Promise<boolean> {
  if (folder.prefix === "") return (await filer.getTree(folder.tree)) !== undefined;
  const page = await filer.listEntries(folder.tree, { prefix: folder.prefix, limit: 1 });
  return page.kind === "ok" && page.value.items.length > 0;
}

/** Whether something besides the folder's own entry is in it. */
export async function hasChildren(filer: Filer, folder: FolderPath): Promise<boolean> {
  const { prefix } = folder;
  const page = await filer.listEntries(folder.tree, { prefix, after: prefix, limit: 1 });
  return page.kind === "ok" && page.value.items.length > 0;
}

/** The folder's own entry, where it was made. */
export async function folderMarker(filer: Filer, folder: FolderPath): Promise<Entry | undefined> {
  return folder.prefix === ""
    ? undefined
    : findEntry(filer, folder.tree, folder.prefix as EntryPath);
}

/** An absent tree has no entries. */
export async function findEntry(
  filer: Filer,
  tree: TreeName,
  key: EntryPath,
): Promise<Entry | undefined> {
  const found = await filer.getEntry(tree, key);
  return found.kind === "ok" ? found.value : undefined;
}

/** Items after `after`, page by page; with a delimiter, what is below further folders is one item. */
export async function* items(
  filer: Filer,
  tree: TreeName,
  query: {
    readonly prefix: string;
    readonly delimiter?: string;
    readonly after?: string;
    readonly pagesMax?: number;
  },
): AsyncGenerator<ListItem> {
  const { prefix, delimiter, pagesMax = Number.MAX_SAFE_INTEGER } = query;
  let after = query.after;
  for (let pages = 0; pages < pagesMax; pages++) {
    const page = await filer.listEntries(tree, {
      prefix,
      limit: LIST_KEYS_MAX,
      ...(delimiter !== undefined && { delimiter }),
      ...(after !== undefined && after !== "" && { after }),
    });
    if (page.kind === "refused") return;
    yield* page.value.items;
    if (page.value.next === undefined) return;
    after = page.value.next;
  }
}

/** Keys of all entries below a prefix, the folder's own included. */
export async function* keysBelow(
  filer: Filer,
  tree: TreeName,
  prefix: string,
): AsyncGenerator<EntryPath> {
  for await (const item of items(filer, tree, { prefix })) {
    if (item.kind === "entry") yield item.path as EntryPath;
  }
}

/** Runs `work` for each value, a bounded number at a time; the first failure ends it once what runs has ended. */
export async function forEachBounded<Value>(
  values: AsyncIterable<Value>,
  work: (value: Value) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for await (const value of values) {
    if (failure !== undefined) break;
    const run = work(value)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => running.delete(run));
    running.add(run);
    if (running.size >= FOLDER_WORK_AT_ONCE_MAX) await Promise.race(running);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
}
