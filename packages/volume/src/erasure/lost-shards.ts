import { type Disk, DiskError } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { JobContext } from "../sealed/job-context.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { type ErasureContent, erasureContentOf } from "./open-erasure.ts";
import { reopenErasure } from "./rebuild.ts";
import { shardExtension } from "./shard-names.ts";

/**
 * A shard whose file was removed, or put back shorter, is still open and counts as there: opens the volume as its files are
 * now. Where those are not enough to read it any more it is left as it is, since what is open may be all that there is; the
 * numbers of the lost ones are returned.
 */
export async function noticeLostShards(
  context: JobContext,
  volume: ServedVolume,
): Promise<readonly number[]> {
  const content = erasureContentOf(volume);
  if (content === undefined) return [];
  const lost = await lostShards(context.deps.disk, content);
  if (lost.length === 0) return [];
  const { layout, presentShards } = content.file;
  if (presentShards.length - lost.length < layout.dataShards) return lost;
  await reopenErasure(context, volume);
  return [];
}

/** Why they cannot be made anew. */
export function lostTooMany(id: VolumeId, lost: readonly number[]): VolumeError {
  return new VolumeError(
    "too-few-shards",
    `Cannot rebuild volume ${id}: the files of shards ${lost.join(", ")} are gone, too few are left; ${STILL_OPEN}`,
  );
}

/** What can be done about a shard whose file is gone. */
export const STILL_OPEN =
  "the server has them open until it ends: ec.decode makes a volume file of what it can read";

/** Numbers of open shards whose files are gone, or of another length than they have; folders that are away are not asked. */
async function lostShards(
  disk: Pick<Disk, "exists" | "open">,
  { file, folders }: ErasureContent,
): Promise<readonly number[]> {
  const there = new Set(file.presentShards);
  const lost: number[] = [];
  for (const { disk: folder, base, shards } of folders) {
    if (folder.failure !== undefined) continue;
    for (const shard of shards) {
      // The first file of a shard is the one that is used.
      if (!there.delete(shard)) continue;
      if (!(await hasLength(disk, `${base}${shardExtension(shard)}`, file.shardBytes))) {
        lost.push(shard);
      }
    }
  }
  return lost.sort((left, right) => left - right);
}

async function hasLength(
  disk: Pick<Disk, "exists" | "open">,
  path: string,
  sizeBytes: number,
): Promise<boolean> {
  if (!(await disk.exists(path))) return false;
  try {
    await using file = await disk.open(path, { access: "read" });
    return (await file.sizeBytes()) === sizeBytes;
  } catch (error) {
    if (error instanceof DiskError) return false;
    throw error;
  }
}
