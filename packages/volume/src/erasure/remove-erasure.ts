import type { Disk } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import type { DiskFolder } from "../store/disk-folder.ts";
import { type ErasureFileName, parseErasureFileName } from "./shard-names.ts";

/** Removes shards and what belongs to them from all folders, or only what `isChosen`; returns how many files there were. Durable. */
export async function removeErasureFiles(
  disk: Disk,
  folders: readonly DiskFolder[],
  volume: { readonly id: VolumeId; readonly collection: string },
  isChosen: (name: ErasureFileName) => boolean = () => true,
): Promise<number> {
  let count = 0;
  for (const { folder, failure } of folders) {
    if (failure !== undefined) continue;
    const names = (await disk.list(folder)).filter((each) => {
      const name = parseErasureFileName(each);
      return name?.id === volume.id && name.collection === volume.collection && isChosen(name);
    });
    for (const name of names) await disk.remove(`${folder}/${name}`);
    if (names.length > 0) await disk.syncFolder(folder);
    count += names.length;
  }
  return count;
}
