import { INDEX_ENTRY_BYTES, type IndexEntry, writeIndexEntry } from "../index/index-entry.ts";
import type { IndexLeaf } from "../index/index-leaf.ts";
import type { NeedleIndex } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { ALIGNMENT_BYTES } from "../needle/layout.ts";
import type { Pace } from "../pace/pace.ts";
import { SteadySync } from "../pace/steady-sync.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import type { BitrotProtection } from "./bitrot-file.ts";
import { UNFINISHED } from "./shard-names.ts";

/**
 * Writes the live entries of an index, ascending by id, under the name `path`, and syncs the file; its name is durable when the
 * folder is synced. With `isNamed` false it keeps its unfinished name. Callers must keep the index from changing meanwhile.
 */
export async function writeSortedIndex(
  { disk, hashes }: Pick<VolumeDeps, "disk" | "hashes">,
  path: string,
  index: NeedleIndex,
  options: { readonly pace: Pace; readonly isNamed?: boolean },
): Promise<NonNullable<BitrotProtection["index"]>> {
  const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  let sizeBytes = 0;
  let checksum = 0;
  {
    await using file = await disk.open(`${path}${UNFINISHED}`, {
      access: "read-write",
      create: true,
      exclusive: true,
    });
    const syncing = new SteadySync(file);
    let filled = 0;
    const flush = async (): Promise<void> => {
      if (filled === 0) return;
      const bytes = buffer.subarray(0, filled);
      await file.writeAt([bytes], sizeBytes);
      checksum = hashes.crc32c(bytes, checksum);
      sizeBytes += filled;
      filled = 0;
      await syncing.wrote(bytes.length);
      await options.pace.spend(bytes.length);
    };
    for (const { leaf, first } of index.leavesById()) {
      for (let at = first; at < leaf.count; at++) {
        if (leaf.size(at) < 0) continue;
        writeIndexEntry(buffer, filled, entryOf(leaf, at));
        filled += INDEX_ENTRY_BYTES;
        if (filled === buffer.length) await flush();
      }
      await options.pace.spend(0);
    }
    await flush();
    await syncing.finish();
  }
  if (options.isNamed !== false) await disk.rename(`${path}${UNFINISHED}`, path);
  return { checksum, sizeBytes };
}

function entryOf(leaf: IndexLeaf, at: number): IndexEntry {
  return {
    idHigh: leaf.high(at),
    idLow: leaf.low(at),
    offsetBytes: leaf.units(at) * ALIGNMENT_BYTES,
    bodyBytes: leaf.size(at),
  };
}
