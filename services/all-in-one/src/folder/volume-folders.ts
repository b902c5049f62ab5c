import { readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Disk, type Random, utf8 } from "@kelp/base";
import { type FolderHold, type VolumeFolder, VolumeError, cataloguedFolders } from "@kelp/volume";
import { StartError } from "../errors.ts";
import { FolderLock } from "./folder-lock.ts";
import type { DataFolder } from "./data-folder.ts";
import { makePrivateFolder } from "./private-folder.ts";

/** Tells a folder of volumes from every other; the same name and form as SeaweedFS's. */
const UUID_FILE = "vol_dir.uuid";
const LOCK_FILE = "lock.db";

/** What an operator says of one folder of volumes. */
export interface VolumeFolderSettings {
  readonly path: string;
  readonly diskType: string;
  /** `undefined`: as many as space allows. */
  readonly volumeCountMax: number | undefined;
}

/** The folders in which a server had volumes last; `undefined` when it left no word of them. */
export async function knownVolumeFolders(
  folder: DataFolder,
  disk: Disk,
): Promise<readonly VolumeFolderSettings[] | undefined> {
  const paths = await cataloguedFolders(disk, folder.file("catalogue"));
  if (paths.length === 0) return undefined;
  return paths.map((path) => ({ path, diskType: "", volumeCountMax: undefined }));
}

/**
 * Folders of volumes that are taken by this process: each is locked, has a uuid, and is refused when it is another of
 * them under a second name.
 */
export function volumeFolders(
  folders: readonly VolumeFolderSettings[],
  deps: {
    readonly disk: Disk;
    readonly random: Pick<Random, "uuid">;
    readonly freeBytesFloor: number;
  },
): readonly VolumeFolder[] {
  /** Path by device and inode. */
  const taken = new Map<string, string>();
  const take = async (path: string, expectedUuid: string | undefined): Promise<FolderHold> => {
    makeUnlessExpected(path, expectedUuid);
    const identity = identityOf(path);
    const twin = taken.get(identity);
    if (twin !== undefined) throw usedTwice(path, twin);
    // Before anything is written: this may be the folder under a disk that is not mounted.
    if (expectedUuid !== undefined) await requireUuid(path, deps.disk);
    const lock = takeLock(path);
    try {
      const uuid = await readOrMakeUuid(path, expectedUuid, deps);
      taken.set(identity, path);
      return {
        uuid,
        probe: async () => probe(path, { identity, uuid }),
        [Symbol.dispose]: () => {
          taken.delete(identity);
          lock[Symbol.dispose]();
        },
      };
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  };
  const { freeBytesFloor } = deps;
  return folders.map((folder) => ({
    ...folder,
    freeBytesFloor,
    take: (expectedUuid) => take(folder.path, expectedUuid),
  }));
}

/** A folder that was used before is not made anew: what is absent is its disk. */
function makeUnlessExpected(path: string, expectedUuid: string | undefined): void {
  if (expectedUuid !== undefined) return;
  makePrivateFolder(path);
}

function identityOf(path: string): string {
  const { dev, ino } = statSync(realpathSync(path));
  return `${dev}:${ino}`;
}

function takeLock(path: string): FolderLock {
  try {
    return FolderLock.take(join(path, LOCK_FILE), path, join(path, "server.json"));
  } catch (error) {
    if (!(error instanceof StartError) || error.code !== "folder-in-use") throw error;
    throw new VolumeError(
      "folder-in-use",
      `Cannot use ${path} for volumes: another Kelp process is using it`,
      { cause: error },
    );
  }
}

async function readOrMakeUuid(
  path: string,
  expectedUuid: string | undefined,
  deps: { readonly disk: Disk; readonly random: Pick<Random, "uuid"> },
): Promise<string> {
  const file = join(path, UUID_FILE);
  // It may have been unmounted since.
  if (expectedUuid !== undefined) await requireUuid(path, deps.disk);
  if (await deps.disk.exists(file)) return readUuid(path);
  const uuid = deps.random.uuid();
  await deps.disk.writeWhole(file, utf8(uuid));
  return uuid;
}

async function requireUuid(path: string, disk: Pick<Disk, "exists">): Promise<void> {
  if (await disk.exists(join(path, UUID_FILE))) return;
  throw new Error(`${path} is not the folder that was there before: is its disk mounted?`);
}

function readUuid(path: string): string {
  const uuid = readFileSync(join(path, UUID_FILE), "utf8").trim();
  if (uuid === "") throw new Error(`${join(path, UUID_FILE)} is empty`);
  return uuid;
}

function probe(path: string, taken: { readonly identity: string; readonly uuid: string }): void {
  if (identityOf(path) !== taken.identity || readUuid(path) !== taken.uuid) {
    throw new Error(`${path} is another folder than before`);
  }
}

function usedTwice(path: string, twin: string): VolumeError {
  return new VolumeError(
    "folder-used-twice",
    `Cannot use ${path} for volumes: it is the same folder as ${twin}`,
  );
}
