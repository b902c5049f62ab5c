import { type Fid, type VolumeId, filerCollection, formatFid } from "@kelp/wire";
import { BACKUP_READS_IN_FLIGHT_MAX, BACKUP_ROWS_AT_ONCE } from "../limits.ts";
import type { BackupSource } from "./backup-source.ts";
import type { BackupWork } from "./backup-work.ts";
import type { FreedManifests } from "./freed-manifests.ts";
import type { LooseList } from "./loose-list.ts";
import { decodeLooseNeedle, looseName } from "./loose-needle.ts";
import type { NamedChunks } from "./named-chunks.ts";
import { looseKey } from "./pack.ts";

export interface LooseCopy {
  readonly source: BackupSource;
  readonly list: LooseList;
  /** What entries and garbage name is the filer's, wherever it is. */
  readonly chunks: NamedChunks;
  readonly freed: FreedManifests;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies the needles that no entry names, of volumes that are not the filer's own alone: what clients of the volume door stored,
 * and what another store left in a folder. In the filer's own volumes such a needle is what a crash left. One that is removed meanwhile is left
 * out, of one that is replaced either content is taken.
 */
export async function copyLooseNeedles(work: BackupWork, copy: LooseCopy): Promise<void> {
  const own = filerCollection(copy.source.storeId);
  const volumes = copy.source.volumes
    .filter(({ collection }) => collection !== own)
    .map(({ id }) => id);
  if (volumes.length === 0) return;
  const garbage = copy.freed.garbageIn(new Set(volumes));
  for (const id of volumes) await copyVolume(work, { ...copy, garbage }, id);
}

interface Listed {
  readonly fid: Fid;
  readonly sizeBytes: number;
  readonly appendedNs: bigint;
}

async function copyVolume(
  work: BackupWork,
  copy: LooseCopy & { readonly garbage: ReadonlySet<string> },
  id: VolumeId,
): Promise<void> {
  let batch: Listed[] = [];
  for await (const found of copy.source.scanVolume(id)) {
    copy.signal?.throwIfAborted();
    if (found.kind === "damaged-volume") {
      work.noteLooseDamage(`volume ${id}`, found.reason);
      continue;
    }
    const fid: Fid = { volumeId: id, needleId: found.needleId, cookie: found.cookie ?? 0 };
    if (copy.chunks.has(fid) || copy.garbage.has(formatFid(fid))) continue;
    if (found.kind === "corrupt") {
      work.noteLooseDamage(formatFid(fid), found.reason);
      continue;
    }
    batch.push({ fid, sizeBytes: found.sizeBytes, appendedNs: found.appendedNs });
    if (batch.length < BACKUP_ROWS_AT_ONCE) continue;
    await copyBatch(work, copy, batch);
    batch = [];
  }
  await copyBatch(work, copy, batch);
}

async function copyBatch(
  work: BackupWork,
  copy: LooseCopy,
  batch: readonly Listed[],
): Promise<void> {
  const names: string[] = [];
  const rest = batch.values();
  const worker = async (): Promise<void> => {
    for (const listed of rest) {
      copy.signal?.throwIfAborted();
      const name = await copyNeedle(work, copy.source, listed);
      if (name !== undefined) names.push(name);
    }
  };
  const workers = Array.from({ length: BACKUP_READS_IN_FLIGHT_MAX }, worker);
  const results = await Promise.allSettled(workers);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  copy.list.add(names);
}

/** Returns the name under which the needle is in the backup. */
async function copyNeedle(
  work: BackupWork,
  { storeId, readNeedle }: Pick<BackupSource, "storeId" | "readNeedle">,
  listed: Listed,
): Promise<string | undefined> {
  const { fid } = listed;
  const expected = looseName(fid, listed);
  if (work.has(looseKey(storeId, expected))) return expected;
  const read = await readNeedle(fid);
  if (read.kind === "absent") return undefined;
  if (read.kind === "damaged") {
    work.noteLooseDamage(formatFid(fid), read.reason);
    return undefined;
  }
  // It may have been replaced since it was listed.
  const { data, appendedNs } = decodeLooseNeedle(read.bytes);
  const name = looseName(fid, { sizeBytes: data.length, appendedNs });
  await work.addNeedle(looseKey(storeId, name), read.bytes);
  return name;
}
