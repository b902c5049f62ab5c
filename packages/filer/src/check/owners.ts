import type { NeedleId, VolumeId } from "@kelp/wire";
import type { ReadManifest } from "../chunk/manifest-reader.ts";
import type { FilerStore } from "../store/filer-store.ts";
import { namedChunks } from "./listed-chunks.ts";

/** A needle, whatever its cookie: that of a damaged one may be damaged. */
export interface NeedleName {
  readonly volumeId: VolumeId;
  readonly needleId: NeedleId;
}

export interface NeedleOwner extends NeedleName {
  /** In words for people, such as `entry a/b of photos`. */
  readonly owner: string;
}

/**
 * Which entries, former entries and parts have content in these needles: one item for each pair. Reads the lists of
 * everything once, however many needles are asked for; they have to fit in memory.
 */
export async function* ownersOf(
  deps: { readonly store: Pick<FilerStore, "scanContents">; readonly readManifest: ReadManifest },
  needles: readonly NeedleName[],
): AsyncGenerator<NeedleOwner> {
  if (needles.length === 0) return;
  const wanted = new Set(needles.map(keyOf));
  for (const { owner, chunks } of deps.store.scanContents()) {
    for await (const { fid } of namedChunks(deps, chunks)) {
      const { volumeId, needleId } = fid;
      if (wanted.has(keyOf(fid))) yield { owner, volumeId, needleId };
    }
  }
}

function keyOf({ volumeId, needleId }: NeedleName): string {
  return `${volumeId},${needleId.toString(16)}`;
}
