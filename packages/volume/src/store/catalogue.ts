import { type Disk, utf8, utf8Text } from "@kelp/base";
import { type VolumeId, volumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";

/**
 * Which volumes there are and in which folder, so that those of a disk that is gone can be named. It stands apart from
 * the folders and is written anew, as a whole, at each change: `{ format, folders: [{ path, uuid }], volumes: [{ id,
 * collection, folder, deleted?, awaited? }] }`, where `folder` is a uuid and `awaited` a list of them.
 *
 * Invariant: a volume stands in it before anybody is told that it was made, and as deleted before the first of its
 * files goes. What stands in a folder and not here was put there by somebody else, and is taken in.
 */
export interface CataloguedVolume {
  readonly id: VolumeId;
  readonly collection: string;
  /** The uuid of its folder. */
  readonly folder: string;
  /** To be removed from its folder as soon as that can be reached. */
  readonly isDeleted: boolean;
  /** Of a deleted volume: uuids of the folders besides its own that may still have files of it. */
  readonly awaited?: readonly string[];
}

export class Catalogue {
  readonly #disk: Disk;
  /** `undefined`: kept in memory alone. */
  readonly #path: string | undefined;
  /** The folder of the catalogue, with a slash at its end. */
  readonly #base: string;
  readonly #folders = new Map<string, string>();
  readonly #volumes = new Map<VolumeId, CataloguedVolume>();
  #saving: Promise<void> = Promise.resolve();

  /** Throws `catalogue-unreadable`. */
  static async open(disk: Disk, path: string | undefined): Promise<Catalogue> {
    const catalogue = new Catalogue(disk, path);
    if (path !== undefined && (await disk.exists(path))) {
      catalogue.#load(path, utf8Text(await disk.readWhole(path)));
    }
    return catalogue;
  }

  private constructor(disk: Disk, path: string | undefined) {
    this.#disk = disk;
    this.#path = path;
    this.#base = path?.slice(0, path.lastIndexOf("/") + 1) ?? "/";
  }

  /** The uuid that the folder at `path` had. */
  folderAt(path: string): string | undefined {
    return this.#folders.get(this.#short(path));
  }

  /** Of all folders. */
  uuids(): readonly string[] {
    return [...new Set(this.#folders.values())];
  }

  /** Where a folder was last. */
  pathOf(uuid: string): string | undefined {
    for (const [path, other] of this.#folders) if (other === uuid) return this.#long(path);
    return undefined;
  }

  paths(): readonly string[] {
    return Array.from(this.#folders.keys(), (path) => this.#long(path));
  }

  volume(id: VolumeId): CataloguedVolume | undefined {
    return this.#volumes.get(id);
  }

  volumes(): readonly CataloguedVolume[] {
    return [...this.#volumes.values()];
  }

  setFolder(path: string, uuid: string): void {
    this.#folders.set(this.#short(path), uuid);
  }

  /** Forgets the folders that are not used any more: all but those at `paths`, and those that alone have a volume. */
  keepFolders(paths: readonly string[]): void {
    const used = new Set(paths.map((path) => this.#short(path)));
    const here = new Set([...used].map((path) => this.#folders.get(path)));
    const named = new Set(
      this.volumes().flatMap(({ folder, awaited = [] }) => [folder, ...awaited]),
    );
    for (const [path, uuid] of this.#folders) {
      if (used.has(path) || (named.has(uuid) && !here.has(uuid))) continue;
      this.#folders.delete(path);
    }
  }

  set(volume: CataloguedVolume): void {
    this.#volumes.set(volume.id, volume);
  }

  forget(id: VolumeId): void {
    this.#volumes.delete(id);
  }

  /** Resolves when what was set before is durable. */
  async save(): Promise<void> {
    if (this.#path === undefined) return;
    const path = this.#path;
    // One after another: each writes all that is known when its turn comes.
    const saving = this.#saving.then(() => this.#disk.writeWhole(path, this.#encode()));
    this.#saving = saving.catch(() => undefined);
    await saving;
  }

  /** Folders beside the catalogue are named from there, so that all may be moved together. */
  #short(path: string): string {
    return path.startsWith(this.#base) ? path.slice(this.#base.length) : path;
  }

  #long(path: string): string {
    return path.startsWith("/") ? path : `${this.#base}${path}`;
  }

  #encode(): Uint8Array {
    const folders = [...this.#folders].map(([path, uuid]) => ({ path, uuid }));
    const volumes = this.volumes().map(({ id, collection, folder, isDeleted, awaited = [] }) => ({
      id,
      collection,
      folder,
      ...(isDeleted ? { deleted: true } : {}),
      ...(awaited.length > 0 ? { awaited } : {}),
    }));
    return utf8(`${JSON.stringify({ format: 1, folders, volumes })}\n`);
  }

  #load(path: string, text: string): void {
    const value = parse(text);
    const { format, folders, volumes } = value ?? {};
    if (format !== 1 || !Array.isArray(folders) || !Array.isArray(volumes)) throw unreadable(path);
    for (const folder of folders) {
      if (!isObject(folder)) throw unreadable(path);
      const { path: at, uuid } = folder;
      if (typeof at !== "string" || typeof uuid !== "string") throw unreadable(path);
      this.#folders.set(at, uuid);
    }
    for (const volume of volumes) {
      if (!isObject(volume)) throw unreadable(path);
      const { id, collection, folder, deleted, awaited = [] } = volume;
      if (typeof id !== "number" || !(id > 0) || id > 0xffff_ffff) throw unreadable(path);
      if (typeof collection !== "string" || typeof folder !== "string") throw unreadable(path);
      if (!isTexts(awaited)) throw unreadable(path);
      this.set({ id: volumeId(id), collection, folder, isDeleted: deleted === true, awaited });
    }
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function unreadable(path: string): VolumeError {
  return new VolumeError(
    "catalogue-unreadable",
    `Cannot read ${path}: it is no list of volumes; without it one is made from the folders that are there`,
  );
}

/** The folders that a catalogue names, by path; none when there is no catalogue. Throws `catalogue-unreadable`. */
export async function cataloguedFolders(disk: Disk, path: string): Promise<readonly string[]> {
  return (await Catalogue.open(disk, path)).paths();
}
