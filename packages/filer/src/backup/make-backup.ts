import { ringMasterKeys } from "../seal/open-ring.ts";
import type { NamedFile } from "./backup-source.ts";
import type { BackupDeps, BackupRequest } from "./backup-request.ts";
import { BackupWork } from "./backup-work.ts";
import { copyLooseNeedles } from "./copy-loose-needles.ts";
import { FreedManifests } from "./freed-manifests.ts";
import { LOOSE_LIST_NAME, LooseList } from "./loose-list.ts";
import type { BackupDatabase, BackupFile, BackupManifest } from "./backup-manifest.ts";
import { BACKUP_FORMAT, BACKUP_FORMAT_LOOSE, openTarget, writeManifest } from "./manifest.ts";
import { NamedChunks, checkDatabase } from "./named-chunks.ts";
import { newestLacks } from "./newest-lacks.ts";
import { packIds } from "./pack.ts";
import { loadCatalogue } from "./pack-catalogue.ts";

export interface BackupReport {
  readonly manifest: BackupManifest;
  /** Pieces that the target did not have. */
  readonly copiedChunks: number;
  readonly copiedNeedles: number;
  readonly copiedBytes: number;
  readonly masterKeyIds: readonly string[];
  /**
   * What is damaged or missing among the pieces of earlier backups, as far as names and lengths tell; of contents only verification
   * knows. What this backup needs of it was copied again, so it is whole.
   */
  readonly harm: readonly string[];
}

/**
 * Makes a backup of the state at one position: databases first, then the chunks that they name and the target has not. The
 * source must be held (`CollectorHolds`) since before the call. What was written stays when it fails or is killed: the next
 * backup finds it. The manifest comes last and is what makes a backup. Throws `BackupError`.
 */
export async function makeBackup(deps: BackupDeps, request: BackupRequest): Promise<BackupReport> {
  const { target, workFolder } = request;
  await openTarget(target, "write", deps.hashes);
  const startedMs = deps.clock.nowMs();
  const copies = await copyDatabases(deps, request);
  using scratch = deps.openDatabase(`${workFolder}/catalogue.db`);
  const packs = await packIds(target);
  const harm = [...(await newestLacks(target, packs, deps.hashes))];
  // What is in a damaged pack is copied again.
  const catalogue = await loadCatalogue(target, packs, {
    scratch,
    hashes: deps.hashes,
    onDamaged: (error) => harm.push(error.message),
  });
  using filer = deps.openDatabase(copyPath(request, request.filerDatabase));
  const chunks = new NamedChunks(filer);
  const freed = new FreedManifests(filer, chunks);
  const work = new BackupWork(deps, request, catalogue);
  using listed = deps.openDatabase(copyPath(request, LOOSE_LIST_NAME));
  const list = new LooseList(listed);
  const { databases, files, looseNeedles } = await copyAll(work, request, {
    copies,
    chunks,
    freed,
    list,
  });
  const manifest: BackupManifest = {
    format: looseNeedles === undefined ? BACKUP_FORMAT : BACKUP_FORMAT_LOOSE,
    id: newId(deps, startedMs),
    storeId: request.source.storeId,
    kelpVersion: request.kelpVersion,
    startedMs,
    finishedMs: deps.clock.nowMs(),
    position: chunks.position,
    databases,
    files,
    ...(looseNeedles === undefined ? {} : { looseNeedles }),
    volumes: request.source.volumes,
    chunkCount: chunks.count,
    damaged: work.damaged,
    damagedCount: work.damagedCount,
    packs: work.usedPacks(),
  };
  await request.beforeManifest?.();
  await writeManifest(target, manifest, deps.hashes);
  const { copiedChunks, copiedNeedles, copiedBytes } = work;
  return {
    manifest,
    copiedChunks,
    copiedNeedles,
    copiedBytes,
    masterKeyIds: ringMasterKeys(filer),
    harm,
  };
}

/** Durable when resolved; when it fails nothing is being written any more. */
async function copyAll(
  work: BackupWork,
  request: BackupRequest,
  what: {
    readonly copies: readonly NamedFile[];
    readonly chunks: NamedChunks;
    readonly freed: FreedManifests;
    readonly list: LooseList;
  },
): Promise<
  Pick<BackupManifest, "databases" | "files"> & {
    readonly looseNeedles: BackupManifest["looseNeedles"] | undefined;
  }
> {
  try {
    await work.copyChunks(what.chunks);
    for (const fid of what.freed.fids) await work.copyFreed(fid);
    const { list } = what;
    await copyLooseNeedles(work, {
      ...what,
      source: request.source,
      signal: request.signal,
    });
    const databases: BackupDatabase[] = [];
    for (const { name } of what.copies) {
      databases.push(await work.copyBlocks(name, copyPath(request, name)));
    }
    const files: BackupFile[] = [];
    for (const { name, path } of request.source.files) files.push(await work.copyFile(name, path));
    const looseNeedles = await copyLooseList(work, request, list);
    await work.flush();
    return { databases, files, looseNeedles };
  } finally {
    await work.settle();
  }
}

/** `undefined` where there is nothing to tell, so that a backup without loose needles is one that every Kelp can restore. */
async function copyLooseList(
  work: BackupWork,
  request: BackupRequest,
  list: LooseList,
): Promise<BackupManifest["looseNeedles"] | undefined> {
  const { count } = list;
  const damagedCount = work.looseDamagedCount;
  if (count === 0 && damagedCount === 0) return undefined;
  list.fold();
  const copied = await work.copyBlocks(LOOSE_LIST_NAME, copyPath(request, LOOSE_LIST_NAME));
  return { list: copied, count, damagedCount };
}

async function copyDatabases(
  deps: BackupDeps,
  request: BackupRequest,
): Promise<readonly NamedFile[]> {
  for (const { name, path } of request.source.databases) {
    request.signal?.throwIfAborted();
    const copy = copyPath(request, name);
    await deps.copyDatabase(path, copy);
    using database = deps.openDatabase(copy);
    // Folds the log into the file, which then is all of it.
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    checkDatabase(database, name, "source-damaged");
  }
  return request.source.databases;
}

function copyPath(request: BackupRequest, name: string): string {
  return `${request.workFolder}/${name}`;
}

/** `20261127T101500123Z-1a2b3c4d`: in the order of time, and never twice. */
function newId(deps: BackupDeps, startedMs: number): string {
  const time = new Date(startedMs).toISOString().replaceAll(/[-:.]/g, "");
  return `${time}-${deps.random.uint32().toString(16).padStart(8, "0")}`;
}
