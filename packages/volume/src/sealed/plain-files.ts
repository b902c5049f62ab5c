import type { Disk } from "@kelp/base";
import { extensionOf } from "../volume/file-name.ts";

/** What stays when the content of a volume goes elsewhere: its information, shards with theirs, and what is unfinished of both. */
function staysBehind(extension: string): boolean {
  return extension === "vif" || extension.startsWith("ec");
}

/** Removes the volume file, its index and what was made of them; the volume file last. Durable. */
export async function removePlainFiles(
  disk: Disk,
  place: { readonly folder: string; readonly fileName: string; readonly keep?: readonly string[] },
): Promise<void> {
  const names = (await disk.list(place.folder)).filter((name) => {
    const extension = extensionOf(name, place.fileName);
    if (extension === undefined) return false;
    return !staysBehind(extension) && place.keep?.includes(extension) !== true;
  });
  names.sort((left, right) => Number(left.endsWith(".dat")) - Number(right.endsWith(".dat")));
  for (const name of names) await disk.remove(`${place.folder}/${name}`);
  if (names.length > 0) await disk.syncFolder(place.folder);
}
