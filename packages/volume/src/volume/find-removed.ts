import type { Disk } from "@kelp/base";
import type { NeedleId } from "@kelp/wire";
import { INDEX_ENTRY_BYTES, isRemoval, readIndexEntry } from "../index/index-entry.ts";
import type { NeedleLocation } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { idHigh, idLow } from "../needle/id-halves.ts";

/**
 * Where the newest record of a needle stands, removed or not, by reading the whole index file: the index in memory
 * forgets the places of removed needles. For the rare wish to see one. `undefined` when the file names none.
 */
export async function findRemoved(
  disk: Disk,
  indexPath: string,
  id: NeedleId,
): Promise<NeedleLocation | undefined> {
  const high = idHigh(id);
  const low = idLow(id);
  let found: NeedleLocation | undefined;
  await using file = await disk.open(indexPath, { access: "read" });
  const buffer = Buffer.allocUnsafeSlow(
    WALK_BUFFER_BYTES - (WALK_BUFFER_BYTES % INDEX_ENTRY_BYTES),
  );
  for (let at = 0; ; at += buffer.length) {
    const count = await file.readAt(buffer, at);
    for (let entryAt = 0; entryAt + INDEX_ENTRY_BYTES <= count; entryAt += INDEX_ENTRY_BYTES) {
      if (buffer.readUInt32BE(entryAt + 4) !== low) continue;
      const entry = readIndexEntry(buffer, entryAt);
      if (entry.idHigh === high && !isRemoval(entry)) found = entry;
    }
    if (count < buffer.length) return found;
  }
}
