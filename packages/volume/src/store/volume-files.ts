import type { Disk } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import { extensionOf, volumeFileName } from "../volume/file-name.ts";

/** Removes every file of a volume from a folder, whatever its form; returns how many there were. Durable. */
export async function removeVolumeFiles(
  disk: Disk,
  folder: string,
  name: { readonly collection: string; readonly id: VolumeId },
): Promise<number> {
  const own = volumeFileName(name.collection, name.id);
  const names = (await disk.list(folder)).filter((each) => extensionOf(each, own) !== undefined);
  // The volume file last: until it is gone the volume is still there after a crash.
  names.sort((left, right) => Number(left.endsWith(".dat")) - Number(right.endsWith(".dat")));
  for (const each of names) await disk.remove(`${folder}/${each}`);
  if (names.length > 0) await disk.syncFolder(folder);
  return names.length;
}
