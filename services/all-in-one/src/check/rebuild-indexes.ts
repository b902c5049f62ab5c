import type { Log } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { type IndexRebuild, type RebuiltIndex, rebuildIndexes } from "@kelp/volume";
import type { FolderFinding } from "./folder-finding.ts";

/**
 * Makes the indexes of all volumes in these folders anew from what the volumes hold, giving to `onFinding` what was
 * wrong with the earlier ones. Returns how many were made. Nobody else may have the folders.
 */
export async function rebuildFolderIndexes(
  folders: readonly string[],
  options: { readonly log: Log; readonly onFinding: (finding: FolderFinding) => void },
): Promise<number> {
  const { log, onFinding } = options;
  const deps = { disk: systemDisk, clock: systemClock, hashes: systemHashes, log };
  let rebuiltCount = 0;
  for await (const rebuild of rebuildIndexes({ ...deps, folders })) {
    if (rebuild.kind === "rebuilt") rebuiltCount++;
    const finding = describeRebuild(rebuild);
    if (finding !== undefined) onFinding(finding);
  }
  return rebuiltCount;
}

/** `undefined` when the earlier index was right. */
export function describeRebuild(rebuild: IndexRebuild): FolderFinding | undefined {
  const volume = `volume ${rebuild.volumeId}`;
  if (rebuild.kind === "failed") {
    const { error } = rebuild;
    const reason = error instanceof Error ? error.message : error;
    const text = `the index of ${volume} could not be made anew: ${String(reason)}`;
    return { kind: "index-not-rebuilt", isHarmless: false, text };
  }
  const { distrust, differenceCount, recalledCount } = rebuild.result;
  if (distrust === undefined && differenceCount === 0 && recalledCount === 0) return undefined;
  const found = [
    ...(distrust === undefined ? [] : [distrust]),
    ...(differenceCount === 0 ? [] : [describeDifferences(rebuild.result)]),
    ...(recalledCount === 0
      ? []
      : [
          `${recalledCount} blobs are known only from the earlier one, their records cannot be read`,
        ]),
  ];
  const text = `the index of ${volume} was made anew: ${found.join("; ")}`;
  return { kind: "index-differs", isHarmless: true, text };
}

function describeDifferences({ differenceCount, differences }: RebuiltIndex): string {
  const examples = differences.map((each) => `${each.needleId.toString(16)} ${each.kind}`);
  const more = differenceCount > differences.length ? ", …" : "";
  return `${differenceCount} blobs differed (${examples.join(", ")}${more})`;
}
