import type { Log } from "@kelp/base";
import {
  copyDatabase,
  openDatabase,
  systemClock,
  systemDisk,
  systemHashes,
  systemRandom,
} from "@kelp/base/platform";
import {
  type BackupManifest,
  type BackupProgress,
  type BackupReport,
  BackupError,
  backupIds,
  chosenBackup,
  makeBackup,
  openTarget,
  pruneBackups,
  readManifest,
  verifyBackup,
} from "@kelp/filer";
import { FOLDER_FILES } from "../folder/data-folder.ts";
import { type FolderVolumes, type OpenBackupSource, openFolderSource } from "./folder-source.ts";
import { fullWorkFolder, tellingFullDisk } from "./full-disk.ts";
import { type HeldTarget, holdTarget } from "./locked-target.ts";
import { type OpenedTarget, makeWorkFolder } from "./open-target.ts";
import { type RunningServerAddress, openServerSource } from "./server-source.ts";

const DEPS = {
  disk: systemDisk,
  clock: systemClock,
  random: systemRandom,
  hashes: systemHashes,
  openDatabase,
  copyDatabase,
};

export interface FolderBackupRequest {
  readonly dir: string;
  readonly to: OpenedTarget;
  /** Of the server that runs on the folder; `undefined` when none does. */
  readonly server: RunningServerAddress | undefined;
  /** For a folder that no server runs on. */
  readonly volumes: FolderVolumes;
  readonly kelpVersion: string;
  /** Backups of this store that are left afterwards; `undefined`: all, as when something could not be read. */
  readonly keepCount: number | undefined;
  readonly onProgress: (progress: BackupProgress) => void;
  readonly log: Log;
}

export interface FolderBackupReport extends BackupReport {
  readonly removedBackups: number;
  /** Why older backups were not removed though they should have been. */
  readonly keptBecause: string | undefined;
}

/** Backs a data folder up, while its server runs or while none does. Throws `BackupError` and `StartError`. */
export async function backUpFolder(request: FolderBackupRequest): Promise<FolderBackupReport> {
  const { dir, to, server } = request;
  const { target } = to;
  // Before anything is made there, so that a wrong place stays as it was.
  await openTarget(target, "write", systemHashes);
  const { keepCount } = request;
  await using held = await holdTarget(target, {
    operation: "backup",
    removes: keepCount !== undefined,
  });
  using work = makeWorkFolder(to.workParent);
  await using source =
    server === undefined
      ? await openFolderSource(dir, request.volumes, request.log)
      : await openServerSource(dir, server);
  const report = await tellingFullDisk(fullWorkFolder(to.workParent), () =>
    makeBackup(DEPS, {
      source,
      target,
      workFolder: work.path,
      filerDatabase: FOLDER_FILES.filer,
      kelpVersion: request.kelpVersion,
      beforeManifest: () => held.assure(),
      onProgress: request.onProgress,
    }),
  );
  const pruned = await pruneAfter(report, { request, source, held });
  return { ...report, ...pruned };
}

/** The backup is made, and stays one whatever becomes of older ones. */
async function pruneAfter(
  report: BackupReport,
  {
    request: { keepCount, to },
    source: { storeId },
    held,
  }: {
    readonly request: FolderBackupRequest;
    readonly source: OpenBackupSource;
    readonly held: HeldTarget;
  },
): Promise<Pick<FolderBackupReport, "removedBackups" | "keptBecause">> {
  if (keepCount === undefined) return { removedBackups: 0, keptBecause: undefined };
  if (hasDamage(report.manifest)) {
    return { removedBackups: 0, keptBecause: "an older one may be the only one that has them" };
  }
  try {
    await held.assure();
    const { removedBackups } = await pruneBackups(to.target, { storeId, keepCount }, systemHashes);
    return { removedBackups, keptBecause: undefined };
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    return { removedBackups: 0, keptBecause: error.message };
  }
}

/** Something of the source could not be read: an older backup may be the only one that has it. */
export function hasDamage({ damagedCount, looseNeedles }: BackupManifest): boolean {
  return damagedCount + (looseNeedles?.damagedCount ?? 0) > 0;
}

/** A backup that is listed, or why it cannot be. */
export type ListedBackup =
  | { readonly kind: "whole"; readonly manifest: BackupManifest }
  | { readonly kind: "unreadable"; readonly id: string; readonly reason: string };

/** Every backup, oldest first; whether their pieces are there is not looked at. Throws `BackupError`. */
export async function listBackups(to: OpenedTarget): Promise<readonly ListedBackup[]> {
  await openTarget(to.target, "read", systemHashes);
  const listed: ListedBackup[] = [];
  for (const id of await backupIds(to.target)) {
    try {
      const manifest = await readManifest(to.target, id, systemHashes);
      listed.push({ kind: "whole", manifest });
    } catch (error) {
      if (!(error instanceof BackupError) || error.code === "target-failed") throw error;
      listed.push({ kind: "unreadable", id, reason: error.message });
    }
  }
  return listed;
}

/** Reads all of the backup of that id, or of the newest, and proves that it can be restored. Throws `BackupError`. */
export async function verifyFolderBackup(
  to: OpenedTarget,
  id: string | undefined,
): Promise<BackupManifest> {
  // Before the lock: a place without backups is left as it is.
  await openTarget(to.target, "read", systemHashes);
  await using _held = await holdTarget(to.target, { operation: "verification", removes: false });
  const manifest = await chosenBackup(to.target, id, systemHashes);
  using work = makeWorkFolder(to.workParent);
  await tellingFullDisk(fullWorkFolder(to.workParent), () =>
    verifyBackup(DEPS, {
      manifest,
      target: to.target,
      workFolder: work.path,
      filerDatabase: FOLDER_FILES.filer,
    }),
  );
  return manifest;
}

/** The message of a failed backup, or `undefined` when the failure is of another kind. */
export function backupFailure(error: unknown): string | undefined {
  return error instanceof BackupError ? error.message : undefined;
}
