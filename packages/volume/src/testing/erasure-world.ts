import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type Disk, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import type { ErasureShape, ScannedNeedle } from "@kelp/wire";
import type { BlockSizes } from "../erasure/layout.ts";
import { dropLeftovers, settleForms } from "../erasure/settle-forms.ts";
import { DiskFolder } from "../store/disk-folder.ts";
import { FolderBlobs } from "../tier/folder-blobs.ts";
import type { TierContext } from "../tier/move.ts";
import { type RemoteStores, openRemote } from "../tier/open-remote.ts";
import { settleRemotes } from "../tier/settle-remotes.ts";
import { type VolumeSlot, VolumeTable } from "../store/volume-table.ts";
import { parseDataFileName } from "../volume/file-name.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { Volume } from "../volume/volume.ts";
import { ONE, content, fid } from "./volume-world.ts";

/** Blocks so small that a volume of some needles has rows of both kinds. */
export const SMALL_BLOCKS: BlockSizes = {
  largeBlockBytes: 2048,
  smallBlockBytes: 512,
  checksumBlockBytes: 1024,
};

/** Volume 1 is full at this size. */
const FULL_BYTES = 12_000;

/** Several folders with volume 1 in the first, and jobs on it, without a store around. */
export class ErasureWorld implements Disposable {
  readonly #folder = temporaryFolder();
  readonly #folderCount: number;
  readonly #blocks: BlockSizes;

  constructor(folderCount = 3, blocks = SMALL_BLOCKS) {
    this.#folderCount = folderCount;
    this.#blocks = blocks;
  }

  get folders(): string[] {
    return Array.from(
      { length: this.#folderCount },
      (_f, index) => `${this.#folder.path}/${index}`,
    );
  }

  /** Where the remote store `cold` keeps its blobs. */
  get remoteFolder(): string {
    return `${this.#folder.path}/cold`;
  }

  /** Opens what is there; makes volume 1 and fills it when there is nothing. */
  async open(disk: Disk = systemDisk): Promise<OpenWorld> {
    for (const folder of this.folders) await systemDisk.makeFolder(folder);
    return OpenWorld.open(this.folders, this.remoteFolder, { disk, blocks: this.#blocks });
  }

  /** Paths of the files of volume 1 that end so. */
  files(end = ""): string[] {
    return this.folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.startsWith("1.") && name.endsWith(end))
        .map((name) => `${folder}/${name}`),
    );
  }

  file(end: string): string {
    const [path] = this.files(end);
    if (path === undefined) throw new Error(`There is no file 1${end}`);
    return path;
  }

  read(end: string): Buffer {
    return readFileSync(this.file(end));
  }

  remove(end: string): void {
    for (const path of this.files(end)) rmSync(path);
  }

  /** Changes one bit of a file. */
  flip(end: string, at: number): void {
    const bytes = this.read(end);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    writeFileSync(this.file(end), bytes);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** The needles that `OpenWorld` fills volume 1 with: ids with their sizes. */
export const SIZES: readonly (readonly [id: number, sizeBytes: number])[] = [
  ...Array.from({ length: 20 }, (_n, index) => [index + 1, 1 + index * 61] as const),
  [21, 3000],
  [22, 0],
];
/** Removed before the volume was full. */
export const REMOVED: readonly number[] = [3, 20];

export class OpenWorld implements AsyncDisposable {
  readonly context: TierContext;

  static async open(
    folders: readonly string[],
    remoteFolder: string,
    options: { readonly disk: Disk; readonly blocks: BlockSizes },
  ): Promise<OpenWorld> {
    const { disk } = options;
    const deps = { disk, clock: systemClock, hashes: systemHashes, log: silentLog };
    const remotes = new Map([["cold", new FolderBlobs(disk, remoteFolder)]]);
    const world = new OpenWorld(folders, { deps, remotes, blocks: options.blocks });
    await world.#openAll();
    return world;
  }

  private constructor(
    folders: readonly string[],
    options: {
      readonly deps: VolumeDeps;
      readonly remotes: RemoteStores;
      readonly blocks: BlockSizes;
    },
  ) {
    const { deps } = options;
    this.context = {
      ...options,
      table: new VolumeTable(),
      disks: folders.map((path, index) => new DiskFolder(index, { path })),
      openPlain: ({ id, collection, disk, folder }) =>
        Volume.open(deps, {
          id,
          collection,
          folder: folder ?? disk.folder,
          sizeBytesMax: FULL_BYTES,
          graceBytes: 1000,
          onStateChange: () => undefined,
        }),
      announce: () => undefined,
    };
  }

  get slot(): VolumeSlot {
    const slot = this.context.table.find(ONE);
    if (slot === undefined) throw new Error("There is no volume 1");
    return slot;
  }

  get volume(): ServedVolume {
    return this.slot.volume;
  }

  /** What every needle reads as: its bytes, "absent", or the code of the error. */
  async readAll(): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    for (const [id] of SIZES) found.set(id, await this.readOne(id));
    return found;
  }

  async readOne(id: number): Promise<string> {
    try {
      const bytes = await this.volume.read(fid(id));
      return bytes === undefined ? "absent" : Buffer.from(bytes).toString("hex");
    } catch (error) {
      return error instanceof Error && "code" in error ? String(error.code) : "unknown";
    }
  }

  async scanAll(): Promise<ScannedNeedle[]> {
    const all: ScannedNeedle[] = [];
    for await (const needle of this.volume.scan()) all.push(needle);
    return all;
  }

  async close(): Promise<void> {
    for (const [, slot] of this.context.table.slots()) await slot.volume.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #openAll(): Promise<void> {
    const { deps, disks, table } = this.context;
    const { opened, leftovers } = await settleForms(deps, disks, {
      blocks: this.context.blocks,
    });
    for (const each of opened) {
      if (!("volume" in each)) throw each.cause;
      table.add(each.id, { volume: each.volume, disk: each.disk });
    }
    for (const disk of disks) {
      for (const place of await settleRemotes(deps, disk)) {
        table.add(place.id, { volume: await openRemote(deps, place, this.context.remotes), disk });
      }
      await this.#openPlain(disk);
    }
    for (const found of leftovers) await dropLeftovers(deps, disks, found);
    if (!table.has(ONE)) await this.#fill();
  }

  async #openPlain(disk: DiskFolder): Promise<void> {
    for (const name of await systemDisk.list(disk.folder)) {
      const parsed = parseDataFileName(name);
      if (parsed === undefined) continue;
      const volume = await this.context.openPlain({ ...parsed, disk });
      this.context.table.add(parsed.id, { volume, disk });
    }
  }

  async #fill(): Promise<void> {
    const [disk] = this.context.disks;
    if (disk === undefined) throw new Error("There is no folder");
    const volume = await Volume.create(this.context.deps, {
      id: ONE,
      collection: "",
      folder: disk.folder,
      sizeBytesMax: FULL_BYTES,
      graceBytes: 10_000,
      onStateChange: () => undefined,
    });
    for (const [id, sizeBytes] of SIZES) await volume.append(fid(id), content(id, sizeBytes));
    for (const id of REMOVED) await volume.remove(fid(id));
    this.context.table.add(ONE, { volume, disk });
  }
}

/** What `readAll` gives while nothing is wrong. `removed`: besides those of before. */
export function allReadable(removed: readonly number[] = []): Map<number, string> {
  const gone = new Set([...REMOVED, ...removed]);
  return new Map(
    SIZES.map(([id, sizeBytes]) => [
      id,
      gone.has(id) ? "absent" : Buffer.from(content(id, sizeBytes)).toString("hex"),
    ]),
  );
}

export const SMALL_SHAPE: ErasureShape = { dataShards: 3, parityShards: 2 };
