import { join } from "node:path";
import type { Log } from "@kelp/base";
import { systemClock, systemDisk, systemRandom } from "@kelp/base/platform";
import { type BackupSource, type NamedFile, storeIdOf } from "@kelp/filer";
import { existsSync } from "node:fs";
import { type DataFolder, FOLDER_FILES, openDataFolder } from "../folder/data-folder.ts";
import { openFolderDatabase } from "../folder/folder-database.ts";
import { type VolumeFolderSettings, knownVolumeFolders } from "../folder/volume-folders.ts";
import type { VolumeTierSettings } from "../settings.ts";
import { openVolumes } from "../volumes.ts";
import { readStoredChunk, readStoredNeedle, scanStoredVolume } from "./stored-content.ts";
import { volumeMessage, volumeOf } from "./messages.ts";

/** A source that this process opened, and closes. */
export interface OpenBackupSource extends BackupSource, AsyncDisposable {}

/** Where the volumes of a folder are, for whoever opens them while no server does. */
export interface FolderVolumes {
  /** `undefined`: where they were last. */
  readonly folders: readonly VolumeFolderSettings[] | undefined;
  readonly tiers: readonly VolumeTierSettings[];
}

/** A folder that no server uses, with its lock. Opening repairs what a crash left, as a server would. Throws `StartError`. */
export async function openFolderSource(
  dir: string,
  where: FolderVolumes,
  log: Log,
): Promise<OpenBackupSource> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await openDataFolder(dir, { disk: systemDisk, clock: systemClock }));
  const volumes = opened.use(
    await openVolumes({
      folder,
      folders: where.folders ?? (await knownVolumeFolders(folder, systemDisk)),
      tiers: where.tiers,
      freeBytesFloor: 0,
      log,
    }),
  );
  const storeId = readStoreId(folder, log);
  const found = (await volumes.volumes()).map((volume) => volumeOf(volumeMessage(volume)));
  const owned = opened.move();
  return {
    ...folderFiles(dir),
    storeId,
    volumes: found,
    readChunk: (fid) => readStoredChunk(volumes, fid),
    scanVolume: (id) => scanStoredVolume(volumes, id),
    readNeedle: (fid) => readStoredNeedle(volumes, fid),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * What of a folder is copied as files. The databases in this order: runs tell of objects that were stored before, so the
 * state of the runs is taken first, and all objects that it tells of are in the state of the store.
 */
export function folderFiles(dir: string): {
  readonly databases: readonly NamedFile[];
  readonly files: readonly NamedFile[];
} {
  const named = (name: string): NamedFile => ({ name, path: join(dir, name) });
  const isThere = ({ path }: NamedFile): boolean => existsSync(path);
  return {
    databases: [FOLDER_FILES.pipelines, FOLDER_FILES.iam, FOLDER_FILES.filer]
      .map(named)
      .filter(isThere),
    files: [FOLDER_FILES.credentials].map(named).filter(isThere),
  };
}

/** Opens each once, so that none is copied with a damaged log. They are closed again: while they are copied nobody else here may have them open. */
function readStoreId(folder: DataFolder, log: Log): string {
  const options = { damagedLog: "refuse", log } as const;
  for (const name of ["pipelines", "iam"] as const) {
    if (existsSync(folder.file(name))) openFolderDatabase(folder, name, options)[Symbol.dispose]();
  }
  using database = openFolderDatabase(folder, "filer", options);
  return storeIdOf(database, systemRandom);
}
