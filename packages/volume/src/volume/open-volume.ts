import { SUPERBLOCK_BYTES, parseSuperblock } from "../superblock/superblock.ts";
import { compactionPaths, settleCompaction } from "../vacuum/compaction-files.ts";
import { OldVolume } from "./old-volume.ts";
import { type VolumeDeps, basePath, dataPath } from "./open-files.ts";
import type { ServedVolume } from "./served-volume.ts";
import { readVolumeInfo } from "./volume-info.ts";
import { Volume, type VolumeOptions } from "./volume.ts";

/** Opens a volume file of any version, after finishing or dropping what a vacuum left. Throws `unsupported-format`, or `DiskError`. */
export async function openVolume(deps: VolumeDeps, options: VolumeOptions): Promise<ServedVolume> {
  const base = basePath(options);
  await settleCompaction(deps.disk, compactionPaths(options.folder, base), deps.log);
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  {
    await using file = await deps.disk.open(dataPath(options), { access: "read" });
    const count = await file.readAt(head, 0);
    // Without a superblock it may be one that a crash kept from being finished, which is for `Volume` to see.
    if (count < SUPERBLOCK_BYTES) head.fill(0);
  }
  if (head[0] !== 1 && head[0] !== 2) return Volume.open(deps, options);
  const superblock = parseSuperblock(head, dataPath(options));
  const info = await readVolumeInfo(deps.disk, base);
  return OldVolume.open(deps, options, { superblock, info });
}
