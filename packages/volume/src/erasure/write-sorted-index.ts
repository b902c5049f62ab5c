import { must } from "@kelp/base";
import { needleId } from "@kelp/wire";
import { INDEX_ENTRY_BYTES, writeIndexEntry } from "../index/index-entry.ts";
import type { NeedleIndex } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { idHigh, idLow, joinIdHalves } from "../needle/id-halves.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import type { BitrotProtection } from "./bitrot-file.ts";
import { UNFINISHED } from "./shard-names.ts";

/**
 * Writes the live entries of an index, ascending by id, under the name `path`, and syncs the file; its name is durable when the
 * folder is synced. Without `isNamed` it keeps its unfinished name. Costs 8 bytes a needle while it runs.
 */
export async function writeSortedIndex(
  { disk, hashes }: Pick<VolumeDeps, "disk" | "hashes">,
  path: string,
  index: NeedleIndex,
  { isNamed }: { readonly isNamed: boolean } = { isNamed: true },
): Promise<NonNullable<BitrotProtection["index"]>> {
  const ids = new BigUint64Array(index.liveCount);
  let count = 0;
  index.forEachLive((high, low) => {
    ids[count++] = joinIdHalves(high, low);
  });
  ids.sort();
  const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  let sizeBytes = 0;
  let checksum = 0;
  {
    await using file = await disk.open(`${path}${UNFINISHED}`, {
      access: "read-write",
      create: true,
      exclusive: true,
    });
    let filled = 0;
    const flush = async (): Promise<void> => {
      if (filled === 0) return;
      const bytes = buffer.subarray(0, filled);
      await file.writeAt([bytes], sizeBytes);
      checksum = hashes.crc32c(bytes, checksum);
      sizeBytes += filled;
      filled = 0;
    };
    for (const value of ids) {
      const id = needleId(value);
      const [high, low] = [idHigh(id), idLow(id)];
      const location = must(index.find(high, low), "a live needle is found");
      writeIndexEntry(buffer, filled, { idHigh: high, idLow: low, ...location });
      filled += INDEX_ENTRY_BYTES;
      if (filled === buffer.length) await flush();
    }
    await flush();
    await file.sync();
  }
  if (isNamed) await disk.rename(`${path}${UNFINISHED}`, path);
  return { checksum, sizeBytes };
}
