import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Log, makeDurableFolder } from "@kelp/base";
import {
  openDatabase,
  systemClock,
  systemDisk,
  systemHashes,
  systemRandom,
} from "@kelp/base/platform";
import {
  BackupError,
  type BackupManifest,
  chosenBackup,
  openTarget,
  restoreBackup,
} from "@kelp/filer";
import { openVolumeStore } from "@kelp/volume";
import {
  FOLDER_FILES,
  finishRestoredFolder,
  isRestoring,
  markRestoring,
} from "../folder/data-folder.ts";
import { FolderLock } from "../folder/folder-lock.ts";
import { tellingFullDisk } from "./full-disk.ts";
import { holdTarget } from "./locked-target.ts";
import { type OpenedTarget, makeWorkFolder } from "./open-target.ts";

/** The largest that a volume file can be where offsets are narrow; one that held more is made with wide ones. */
const VOLUME_SIZE_BYTES_MAX = 32_000 * 1024 * 1024;

export interface FolderRestoreRequest {
  readonly from: OpenedTarget;
  /** Absent, empty, or with a restore in it that did not finish. */
  readonly dir: string;
  /** `undefined`: the newest. */
  readonly id: string | undefined;
  readonly onProgress: (progress: {
    readonly chunksDone: number;
    readonly chunkCount: number;
  }) => void;
  readonly log: Log;
}

/**
 * Makes a data folder of a backup. Until all of it is there the folder says that it is being restored, and no server
 * starts on it; a restore that was killed is begun again. Throws `BackupError` and `StartError`.
 */
export async function restoreFolder(request: FolderRestoreRequest): Promise<BackupManifest> {
  const { dir, from } = request;
  // Before the lock: a place without backups is left as it is.
  await openTarget(from.target, "read", systemHashes);
  await using _held = await holdTarget(from.target, { operation: "restore", removes: false });
  const manifest = await chosenBackup(from.target, request.id, systemHashes);
  refuseForeignFiles(manifest);
  if (!isEmpty(dir) && !isRestoring(dir)) {
    throw new BackupError("folder-not-empty", `${dir} is not empty: name a folder that is`);
  }
  const full = {
    code: "folder-full",
    message: `no space is left in ${dir}: make room and begin again`,
  } as const;
  await tellingFullDisk(full, () => restoreInto(dir, manifest, request));
  return manifest;
}

async function restoreInto(
  dir: string,
  manifest: BackupManifest,
  request: FolderRestoreRequest,
): Promise<void> {
  await makeDurableFolder(systemDisk, dir);
  await markRestoring(dir, systemDisk);
  using _lock = FolderLock.take(join(dir, FOLDER_FILES.lock), dir, join(dir, FOLDER_FILES.server));
  for (const name of readdirSync(dir)) {
    if (name === FOLDER_FILES.format || name.startsWith(FOLDER_FILES.lock)) continue;
    rmSync(join(dir, name), { recursive: true, force: true });
  }
  {
    using work = makeWorkFolder(join(dir, FOLDER_FILES.work));
    await using volumes = await openVolumeStore({
      clock: systemClock,
      hashes: systemHashes,
      disk: systemDisk,
      folder: join(dir, FOLDER_FILES.volumes),
      volumeSizeBytesMax: VOLUME_SIZE_BYTES_MAX,
      log: request.log,
    });
    await restoreBackup(
      { disk: systemDisk, random: systemRandom, hashes: systemHashes, openDatabase },
      {
        manifest,
        target: request.from.target,
        folder: dir,
        workFolder: work.path,
        filerDatabase: FOLDER_FILES.filer,
        volumes,
        onProgress: request.onProgress,
      },
    );
  }
  await finishRestoredFolder(dir, { disk: systemDisk, clock: systemClock });
}

/** What a backup brings; the rest of a folder is its own, above all what says that it is not whole yet. */
const RESTORED_FILES: ReadonlySet<string> = new Set([
  FOLDER_FILES.filer,
  FOLDER_FILES.iam,
  FOLDER_FILES.pipelines,
  FOLDER_FILES.credentials,
]);

function refuseForeignFiles({ id, databases, files }: BackupManifest): void {
  for (const { name } of [...databases, ...files]) {
    if (RESTORED_FILES.has(name)) continue;
    throw new BackupError("backup-damaged", `backup ${id} names a file that no backup brings`);
  }
}

function isEmpty(dir: string): boolean {
  return !existsSync(dir) || readdirSync(dir).length === 0;
}
