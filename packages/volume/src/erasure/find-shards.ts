import { type Disk, DiskError } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import type { DiskFolder } from "../store/disk-folder.ts";
import { volumeFileName } from "../volume/file-name.ts";
import { type ErasureFileName, parseErasureFileName } from "./shard-names.ts";

/** The files of one erasure-coded volume, over all folders. */
export interface FoundErasure {
  readonly id: VolumeId;
  readonly collection: string;
  readonly folders: readonly FoundFolder[];
}

/** Those of one folder. */
export interface FoundFolder {
  readonly disk: DiskFolder;
  /** Path of the volume's files here, without extension. */
  readonly base: string;
  readonly shards: readonly number[];
  readonly hasIndex: boolean;
  readonly hasChecksums: boolean;
  readonly hasUnfinished: boolean;
}

/** Every volume of which there is a shard or another part, in the order of the folders. A folder that cannot be listed is left out. */
export async function findErasures(
  disk: Pick<Disk, "list">,
  folders: readonly DiskFolder[],
): Promise<FoundErasure[]> {
  const found = new Map<string, { name: ErasureFileName; folders: FoundFolder[] }>();
  for (const folder of folders) {
    if (folder.failure !== undefined) continue;
    for (const [key, names] of byVolume(await namesIn(disk, folder))) {
      const [name] = names;
      if (name === undefined) continue;
      const volume = found.get(key) ?? { name, folders: [] };
      volume.folders.push(describeFolder(folder, name, names));
      found.set(key, volume);
    }
  }
  return [...found.values()].map(({ name, folders: parts }) => ({
    id: name.id,
    collection: name.collection,
    folders: parts,
  }));
}

async function namesIn(disk: Pick<Disk, "list">, { folder }: DiskFolder): Promise<string[]> {
  try {
    return await disk.list(folder);
  } catch (error) {
    // It is about to be found out as failed.
    if (error instanceof DiskError) return [];
    throw error;
  }
}

/** The same for one volume. */
export async function findErasure(
  disk: Pick<Disk, "list">,
  folders: readonly DiskFolder[],
  volume: { readonly id: VolumeId; readonly collection: string },
): Promise<FoundErasure> {
  const all = await findErasures(disk, folders);
  const found = all.find((each) => each.id === volume.id && each.collection === volume.collection);
  return found ?? { ...volume, folders: [] };
}

function byVolume(names: readonly string[]): Map<string, ErasureFileName[]> {
  const volumes = new Map<string, ErasureFileName[]>();
  for (const each of names) {
    const name = parseErasureFileName(each);
    if (name === undefined) continue;
    const key = volumeFileName(name.collection, name.id);
    volumes.set(key, [...(volumes.get(key) ?? []), name]);
  }
  return volumes;
}

function describeFolder(
  disk: DiskFolder,
  name: ErasureFileName,
  names: readonly ErasureFileName[],
): FoundFolder {
  const parts = names.map((each) => each.part);
  return {
    disk,
    base: `${disk.folder}/${volumeFileName(name.collection, name.id)}`,
    shards: parts.filter((part) => typeof part === "number").sort((left, right) => left - right),
    hasIndex: parts.includes("index"),
    hasChecksums: parts.includes("checksums"),
    hasUnfinished: parts.includes("unfinished"),
  };
}
