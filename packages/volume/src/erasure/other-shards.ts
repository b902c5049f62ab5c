import type { Disk, DiskFile } from "@kelp/base";
import { HEADER_BYTES } from "../needle/layout.ts";
import { SUPERBLOCK_BYTES } from "../superblock/superblock.ts";
import type { FoundErasure } from "./find-shards.ts";
import { shardExtension } from "./shard-names.ts";

/**
 * Whether shards that have the name of a plain volume are certainly of another one, such as a folder of another store
 * brings along: the first shard begins as the volume file did, and the cookie of its first needle is nobody else's. The
 * superblock is left out, because vacuuming changes it.
 */
export async function areOfAnother(
  disk: Pick<Disk, "open">,
  found: FoundErasure,
  data: DiskFile,
): Promise<boolean> {
  const home = found.folders.find(({ shards }) => shards.includes(0));
  if (home === undefined) return false;
  await using shard = await disk.open(`${home.base}${shardExtension(0)}`, { access: "read" });
  const [ours, theirs] = [Buffer.alloc(HEADER_BYTES), Buffer.alloc(HEADER_BYTES)];
  const count = await data.readAt(ours, SUPERBLOCK_BYTES);
  await shard.readAt(theirs, SUPERBLOCK_BYTES);
  return !ours.subarray(0, count).equals(theirs.subarray(0, count));
}
