import type { Disk, DiskFile, Log } from "@kelp/base";
import { type RemovalCopy, RemovalLog, type RemovedId } from "../sealed/removal-log.ts";

const ENTRY_BYTES = 8;

/**
 * Ids of needles removed from an erasure-coded volume (`.ecj`): 8 bytes each, big-endian, one copy in each folder that has
 * shards. The copies are read together, and each learns what only others have: its folder may be the one that is left.
 *
 * Opens the copies at `paths`, made when absent, and gives what they hold. A copy that cannot be opened is left out, unless
 * there is none that can be read: what was removed would come back. Throws `DiskError`.
 */
export async function openDeletionJournal(
  deps: { readonly disk: Disk; readonly log: Log },
  paths: readonly string[],
): Promise<{ readonly journal: RemovalLog; readonly entries: readonly RemovedId[] }> {
  const copies: ReadCopy[] = [];
  const failures: unknown[] = [];
  let isRead = false;
  for (const path of paths) {
    try {
      const isThere = await deps.disk.exists(path);
      copies.push(await openCopy(deps.disk, path, { isThere }));
      isRead ||= isThere;
    } catch (error) {
      failures.push(error);
      deps.log.error("a journal of removals cannot be opened", { path, error });
    }
  }
  if (failures.length > 0 && !isRead) {
    await Promise.all(copies.map((copy) => copy.file.close()));
    throw failures[0];
  }
  const all = new Map<string, RemovedId>();
  for (const copy of copies) for (const [name, entry] of copy.entries) all.set(name, entry);
  const whole: RemovalCopy[] = [];
  for (const copy of copies) whole.push(await complete(copy, all, deps.log));
  return { journal: new RemovalLog(whole, encodeEntries, deps.log), entries: [...all.values()] };
}

interface ReadCopy {
  readonly file: DiskFile;
  /** In the order of the file; one that stands there twice counts once. */
  readonly entries: ReadonlyMap<string, RemovedId>;
}

async function openCopy(
  disk: Disk,
  path: string,
  { isThere }: { readonly isThere: boolean },
): Promise<ReadCopy> {
  const file = await disk.open(path, { access: "read-write", create: true });
  try {
    // A removal is acknowledged when the file is synced: its name must not be lost with the power.
    if (!isThere) await disk.syncFolder(path.slice(0, path.lastIndexOf("/")));
    return { file, entries: await readEntries(file) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A copy that cannot be written is one all the same: the next removal finds out what it is good for. */
async function complete(
  { file, entries }: ReadCopy,
  all: ReadonlyMap<string, RemovedId>,
  log: Log,
): Promise<RemovalCopy> {
  const sizeBytes = await file.sizeBytes();
  const endBytes = sizeBytes - (sizeBytes % ENTRY_BYTES);
  const missing = [...all].filter(([name]) => !entries.has(name)).map(([, entry]) => entry);
  if (missing.length === 0) return { file, endBytes };
  const bytes = encodeEntries(missing);
  try {
    await file.writeAt([bytes], endBytes);
    await file.sync();
  } catch (error) {
    log.error("a journal of removals cannot be completed", { path: file.path, error });
    return { file, endBytes };
  }
  return { file, endBytes: endBytes + bytes.length };
}

function encodeEntries(entries: readonly RemovedId[]): Uint8Array {
  const bytes = Buffer.alloc(entries.length * ENTRY_BYTES);
  for (const [index, { idHigh, idLow }] of entries.entries()) {
    bytes.writeUInt32BE(idHigh, index * ENTRY_BYTES);
    bytes.writeUInt32BE(idLow, index * ENTRY_BYTES + 4);
  }
  return bytes;
}

/** Whole entries by their names. */
async function readEntries(file: DiskFile): Promise<Map<string, RemovedId>> {
  const entries = new Map<string, RemovedId>();
  const bytes = Buffer.alloc(await file.sizeBytes());
  const count = await file.readAt(bytes, 0);
  for (let at = 0; at + ENTRY_BYTES <= count; at += ENTRY_BYTES) {
    const entry = { idHigh: bytes.readUInt32BE(at), idLow: bytes.readUInt32BE(at + 4) };
    entries.set(`${entry.idHigh} ${entry.idLow}`, entry);
  }
  return entries;
}
