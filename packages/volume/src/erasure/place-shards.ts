import type { Clock, Disk } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import type { DiskFolder } from "../store/disk-folder.ts";

interface SpaceDeps {
  readonly disk: Pick<Disk, "space">;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** Beside its shards a folder gets a copy of the index and small files. */
const EXTRA_BYTES = 1024 * 1024;

/**
 * Which folder takes which of the shards `wanted`: each goes to the folder that has fewest of them, counting `held`, and of
 * those to the one with most space, so that losing one folder loses as few shards as can be. Throws `out-of-space`.
 */
export async function placeShards(
  deps: SpaceDeps,
  folders: readonly DiskFolder[],
  needed: {
    readonly wanted: readonly number[];
    readonly shardBytes: number;
    readonly indexBytes: number;
    /** How many shards of the volume a folder has already. */
    readonly held?: ReadonlyMap<DiskFolder, number>;
  },
): Promise<Map<number, DiskFolder>> {
  const rooms = await Promise.all(
    folders.map(async (folder) => ({
      folder,
      count: needed.held?.get(folder) ?? 0,
      freeBytes: await freeBytesOf(deps, folder, needed.indexBytes),
    })),
  );
  const places = new Map<number, DiskFolder>();
  for (const shard of needed.wanted) {
    const [best] = rooms
      .filter((room) => room.freeBytes >= needed.shardBytes)
      .sort((left, right) => left.count - right.count || right.freeBytes - left.freeBytes);
    if (best === undefined) {
      throw new VolumeError(
        "out-of-space",
        `Cannot place ${needed.wanted.length} shards: each needs ${needed.shardBytes} bytes, and there is room for ${places.size}`,
      );
    }
    places.set(shard, best.folder);
    best.count++;
    best.freeBytes -= needed.shardBytes;
  }
  return places;
}

async function freeBytesOf(
  deps: SpaceDeps,
  folder: DiskFolder,
  indexBytes: number,
): Promise<number> {
  const space = await folder.space(deps);
  if (space === undefined) return 0;
  return space.availableBytes - folder.freeBytesFloor - indexBytes - EXTRA_BYTES;
}
