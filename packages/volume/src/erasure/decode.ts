import type { JobOptions, VolumeId } from "@kelp/wire";
import { JOB_BYTES_PER_SEC_DEFAULT } from "../limits.ts";
import type { JobContext } from "../sealed/job-context.ts";
import { jobError, wrongForm } from "../sealed/job-error.ts";
import { restorePlain } from "../sealed/restore-plain.ts";
import { SealedVolume } from "../sealed/sealed-volume.ts";
import type { DiskFolder } from "../store/disk-folder.ts";
import type { VolumeSlot } from "../store/volume-table.ts";
import { Pace } from "../pace/pace.ts";
import { volumeFileName } from "../volume/file-name.ts";
import { readVolumeInfo, writeVolumeInfo } from "../volume/volume-info.ts";
import { erasureContentOf } from "./open-erasure.ts";
import { removeErasureFiles } from "./remove-erasure.ts";
import { scrubShards } from "./scrub-shards.ts";

/**
 * Turns shards back into a plain volume. The shards are verified first, so that what is read around is known; every needle of
 * the new file is verified before it takes its name; the journal of removals becomes tombstones. The shards go last.
 * Reads go on meanwhile, removals are refused. Throws `too-few-shards`, `needle-corrupt`, `out-of-space`.
 */
export async function decodeVolume(
  context: JobContext,
  id: VolumeId,
  slot: VolumeSlot,
  options: JobOptions,
): Promise<void> {
  const { volume } = slot;
  const content = erasureContentOf(volume);
  if (content === undefined || !(volume instanceof SealedVolume)) {
    throw wrongForm("decode", id, volume.status().form.kind);
  }
  const { deps, table } = context;
  const { collection } = volume;
  const pace = new Pace(deps, {
    bytesPerSec: options.bytesPerSec ?? JOB_BYTES_PER_SEC_DEFAULT,
    signal: options.signal,
  });
  const frozen = await volume.freeze("decode");
  let isPlaced = false;
  try {
    await scrubShards({ id, content }, pace);
    const disk = await roomiest(context, slot.disk, content.file.sizeBytes());
    const place = await restorePlain(context, { id, collection, disk }, { content, pace });
    isPlaced = true;
    await place();
    const base = `${disk.folder}/${volumeFileName(collection, id)}`;
    const info = await readVolumeInfo(deps.disk, base);
    await writeVolumeInfo(deps.disk, base, info, { shards: undefined, dataFileBytes: 0 });
    const next = await context.openPlain({ id, collection, disk });
    await table.exchange(id, next, disk);
    context.announce(id, next);
    await removeErasureFiles(deps.disk, context.disks, { id, collection });
  } catch (error) {
    // A removal would be lost if the next opening takes the volume file.
    if (!isPlaced) frozen[Symbol.dispose]();
    throw jobError("decode", id, error);
  }
}

/** The folder that the volume counts as its own when there is room, else the one with most. */
async function roomiest(
  context: JobContext,
  own: DiskFolder,
  neededBytes: number,
): Promise<DiskFolder> {
  const rooms = await Promise.all(
    context.disks.map(async (disk) => {
      const space = await disk.space(context.deps);
      return { disk, freeBytes: (space?.availableBytes ?? 0) - disk.freeBytesFloor };
    }),
  );
  const [best] = rooms.sort((left, right) => right.freeBytes - left.freeBytes);
  const ownRoom = rooms.find((room) => room.disk === own);
  if (ownRoom !== undefined && ownRoom.freeBytes >= neededBytes) return own;
  return best?.disk ?? own;
}
