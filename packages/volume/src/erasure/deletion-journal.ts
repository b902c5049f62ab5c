import type { Disk, DiskFile, Log } from "@kelp/base";
import { type RemovalCopy, RemovalLog, type RemovedId } from "../sealed/removal-log.ts";

const ENTRY_BYTES = 8;

/**
 * Ids of needles removed from an erasure-coded volume (`.ecj`): 8 bytes each, big-endian, one copy in each folder that has
 * shards. The copies are read together.
 *
 * Opens the copies at `paths`, made when absent, and gives what they hold. A copy that cannot be opened is left out, unless
 * there is none that can be read: what was removed would come back. Throws `DiskError`.
 */
export async function openDeletionJournal(
  deps: { readonly disk: Disk; readonly log: Log },
  paths: readonly string[],
): Promise<{ readonly journal: RemovalLog; readonly entries: readonly RemovedId[] }> {
  const copies: RemovalCopy[] = [];
  const entries: RemovedId[] = [];
  const failures: unknown[] = [];
  let isRead = false;
  for (const path of paths) {
    try {
      const isThere = await deps.disk.exists(path);
      const file = await deps.disk.open(path, { access: "read-write", create: true });
      copies.push({ file, endBytes: await readEntries(file, entries) });
      isRead ||= isThere;
    } catch (error) {
      failures.push(error);
      deps.log.error("a journal of removals cannot be opened", { path, error });
    }
  }
  if (failures.length === 0 || isRead) {
    return { journal: new RemovalLog(copies, encodeEntries, deps.log), entries };
  }
  await Promise.all(copies.map((copy) => copy.file.close()));
  throw failures[0];
}

function encodeEntries(entries: readonly RemovedId[]): Uint8Array {
  const bytes = Buffer.alloc(entries.length * ENTRY_BYTES);
  for (const [index, { idHigh, idLow }] of entries.entries()) {
    bytes.writeUInt32BE(idHigh, index * ENTRY_BYTES);
    bytes.writeUInt32BE(idLow, index * ENTRY_BYTES + 4);
  }
  return bytes;
}

/** Adds what a copy holds to `entries`; returns where its last whole entry ends. */
async function readEntries(file: DiskFile, entries: RemovedId[]): Promise<number> {
  const bytes = Buffer.alloc(await file.sizeBytes());
  const count = await file.readAt(bytes, 0);
  const endBytes = count - (count % ENTRY_BYTES);
  for (let at = 0; at < endBytes; at += ENTRY_BYTES) {
    entries.push({ idHigh: bytes.readUInt32BE(at), idLow: bytes.readUInt32BE(at + 4) });
  }
  return endBytes;
}
