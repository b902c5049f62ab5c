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
import { type FolderVolumes, openFolderSource } from "./folder-source.ts";
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
}

/** Backs a data folder up, while its server runs or while none does. Throws `BackupError` and `StartError`. */
export async function backUpFolder(request: FolderBackupRequest): Promise<FolderBackupReport> {
  const { dir, to, server } = request;
  const { target } = to;
  // Before anything is made there, so that a wrong place stays as it was.
  await openTarget(target, "write", systemHashes);
  using work = makeWorkFolder(to.workParent);
  await using source =
    server === undefined
      ? await openFolderSource(dir, request.volumes, request.log)
      : await openServerSource(dir, server);
  const report = await makeBackup(DEPS, {
    source,
    target,
    workFolder: work.path,
    filerDatabase: FOLDER_FILES.filer,
    kelpVersion: request.kelpVersion,
    onProgress: request.onProgress,
  });
  const { keepCount } = request;
  const { storeId } = source;
  const removedBackups =
    keepCount === undefined || hasDamage(report.manifest)
      ? 0
      : (await pruneBackups(target, { storeId, keepCount }, systemHashes)).removedBackups;
  return { ...report, removedBackups };
}

/** Something of the source could not be read: an older backup may be the only one that has it. */
export function hasDamage({ damagedCount, looseNeedles }: BackupManifest): boolean {
  return damagedCount + (looseNeedles?.damagedCount ?? 0) > 0;
}

/** Every whole backup, oldest first. Throws `BackupError`. */
export async function listBackups(to: OpenedTarget): Promise<readonly BackupManifest[]> {
  await openTarget(to.target, "read", systemHashes);
  const manifests: BackupManifest[] = [];
  for (const id of await backupIds(to.target)) {
    manifests.push(await readManifest(to.target, id, systemHashes));
  }
  return manifests;
}

/** Reads all of the backup of that id, or of the newest, and proves that it can be restored. Throws `BackupError`. */
export async function verifyFolderBackup(
  to: OpenedTarget,
  id: string | undefined,
): Promise<BackupManifest> {
  const manifest = await chosenBackup(to.target, id, systemHashes);
  using work = makeWorkFolder(to.workParent);
  await verifyBackup(DEPS, {
    manifest,
    target: to.target,
    workFolder: work.path,
    filerDatabase: FOLDER_FILES.filer,
  });
  return manifest;
}

/** The message of a failed backup, or `undefined` when the failure is of another kind. */
export function backupFailure(error: unknown): string | undefined {
  return error instanceof BackupError ? error.message : undefined;
}
