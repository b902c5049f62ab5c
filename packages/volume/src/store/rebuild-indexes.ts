import { DiskError } from "@kelp/base";
import type { BlockSizes } from "../erasure/layout.ts";
import { rebuildSortedIndexes } from "../erasure/rebuild-sorted-index.ts";
import { parseDataFileName } from "../volume/file-name.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import { type IndexRebuild, rebuildIndex } from "../volume/rebuild-index.ts";
import { DiskFolder } from "./disk-folder.ts";

/**
 * Makes the indexes of all volumes of some folders anew, one after the other; see `rebuildIndex`. Of volumes of shards only those that
 * lack an index are made, of the shards in all the folders; see `rebuildSortedIndexes`. A volume that cannot be read
 * does not keep the others from it, nor does a folder that is not there. No store may have a folder open.
 */
export async function* rebuildIndexes(
  deps: VolumeDeps & {
    readonly folders: readonly string[];
    readonly shardBlocks?: BlockSizes;
  },
): AsyncGenerator<IndexRebuild> {
  const { folders } = deps;
  for (const folder of folders) yield* rebuildPlain(deps, folder);
  const disks = folders.map((path, index) => new DiskFolder(index, { path }));
  yield* rebuildSortedIndexes(deps, disks, deps.shardBlocks);
}

async function* rebuildPlain(deps: VolumeDeps, folder: string): AsyncGenerator<IndexRebuild> {
  for (const name of (await namesIn(deps, folder)).sort()) {
    const parsed = parseDataFileName(name);
    if (parsed === undefined) continue;
    const { id, collection } = parsed;
    const which = { volumeId: id, collection };
    try {
      const result = await rebuildIndex(deps, { folder, collection, id });
      yield { ...which, kind: "rebuilt", result };
    } catch (error) {
      yield { ...which, kind: "failed", error };
    }
  }
}

async function namesIn({ disk, log }: VolumeDeps, folder: string): Promise<string[]> {
  try {
    return await disk.list(folder);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    // Which volumes are missing with it is told by whoever opens them.
    log.error("a folder of volumes cannot be listed", { folder, error });
    return [];
  }
}
