import type { VolumeId } from "@kelp/wire";
import { parseDataFileName } from "../volume/file-name.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import { type RebuiltIndex, rebuildIndex } from "../volume/rebuild-index.ts";

/** What became of the index of one volume. */
export type IndexRebuild = {
  readonly volumeId: VolumeId;
  readonly collection: string;
} & (
  | { readonly kind: "rebuilt"; readonly result: RebuiltIndex }
  | { readonly kind: "failed"; readonly error: unknown }
);

/**
 * Makes the indexes of all volumes of a folder anew, one after the other; see `rebuildIndex`. A volume that cannot be
 * read does not keep the others from it. No store may have the folder open.
 */
export async function* rebuildIndexes(
  deps: VolumeDeps & { readonly folder: string },
): AsyncGenerator<IndexRebuild> {
  const { folder } = deps;
  const names = await deps.disk.list(folder);
  for (const name of names.sort()) {
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
