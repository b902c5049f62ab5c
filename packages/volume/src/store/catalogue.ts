import { type Disk, utf8, utf8Text } from "@kelp/base";
import { type VolumeId, volumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";

/**
 * Which volumes there are and in which folder, so that those of a disk that is gone can be named. It stands apart from
 * the folders and is written anew, as a whole, at each change: `{ format, folders: [{ path, uuid }], volumes: [{ id,
 * collection, folder, deleted?, spread? }] }`, where `folder` is a uuid.
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
  /** Of a deleted one: parts of it may be in any folder, so it is remembered until all of them were looked through. */
  readonly isSpread?: boolean;
}

export class Catalogue {
  readonly #disk: Disk;
  /** `undefined`: kept in memory alone. */
  readonly #path: string | undefined;
  /** The folder of the catalogue, with a slash at its end. */
  readonly #base: string;
  readonly #folders = new Map<string, string>();
  readonly #volumes = new Map<VolumeId, CataloguedVolume>();
  /** What the file is known to hold: the same is not written again, so that a full disk can be opened. */
  #written: string | undefined;
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

  /** Where a folder was last. */
  pathOf(uuid: string): string | undefined {
    for (const [path, other] of this.#folders) if (other === uuid) return this.#long(path);
    return undefined;
  }

  /** Of every folder that is known. */
  uuids(): readonly string[] {
    return [...this.#folders.values()];
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
    const named = new Set(this.volumes().map((volume) => volume.folder));
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
    await this.#inTurn(() => this.#write());
  }

  /**
   * Sets a volume and makes that durable. When it rejects, the volume is as it was, and no save of somebody else says otherwise;
   * only what a failed write itself has left on the disk is not known, until `save` resolves.
   */
  async record(volume: CataloguedVolume): Promise<void> {
    await this.#inTurn(async () => {
      const earlier = this.#volumes.get(volume.id);
      this.set(volume);
      try {
        await this.#write();
      } catch (error) {
        if (earlier === undefined) this.forget(volume.id);
        else this.set(earlier);
        throw error;
      }
    });
  }

  /** One after another: each writes all that is known when its turn comes. */
  async #inTurn(work: () => Promise<void>): Promise<void> {
    const saving = this.#saving.then(work);
    this.#saving = saving.catch(() => undefined);
    await saving;
  }

  async #write(): Promise<void> {
    if (this.#path === undefined) return;
    const text = this.#encode();
    if (text === this.#written) return;
    this.#written = undefined;
    await this.#disk.writeWhole(this.#path, utf8(text));
    this.#written = text;
  }

  /** Folders beside the catalogue are named from there, so that all may be moved together. */
  #short(path: string): string {
    return path.startsWith(this.#base) ? path.slice(this.#base.length) : path;
  }

  #long(path: string): string {
    return path.startsWith("/") ? path : `${this.#base}${path}`;
  }

  #encode(): string {
    const folders = [...this.#folders].map(([path, uuid]) => ({ path, uuid }));
    const volumes = Array.from(this.#volumes.values(), (volume) => ({
      id: volume.id,
      collection: volume.collection,
      folder: volume.folder,
      ...(volume.isDeleted ? { deleted: true } : {}),
      ...(volume.isSpread === true ? { spread: true } : {}),
    }));
    return `${JSON.stringify({ format: 1, folders, volumes })}\n`;
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
      const { id, collection, folder, deleted, spread } = volume;
      if (typeof id !== "number" || !(id > 0) || id > 0xffff_ffff) throw unreadable(path);
      if (typeof collection !== "string" || typeof folder !== "string") throw unreadable(path);
      const [isDeleted, isSpread] = [deleted === true, spread === true];
      this.set({ id: volumeId(id), collection, folder, isDeleted, isSpread });
    }
    this.#written = text;
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
