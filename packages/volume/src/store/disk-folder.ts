import type { Disk, DiskSpace } from "@kelp/base";
import type { DiskStatus } from "@kelp/wire";

/** One folder for volumes, as its operator wants it used. */
export interface VolumeFolder {
  readonly path: string;
  /** Kind of disk behind it, such as `ssd`; "" when nobody said. */
  readonly diskType?: string;
  /** Volumes that are made here at most; as many as space allows unless given. */
  readonly volumeCountMax?: number;
  /** No volume is made, and none takes needles, while less than this is free. Default 0. */
  readonly freeBytesFloor?: number;
  /** Tells the folder from every other, wherever it is mounted; its path unless given. */
  readonly uuid?: string;
  /** Why it cannot be used. Its volumes are missing. */
  readonly failure?: unknown;
}

const NO_SPACE: DiskSpace = { totalBytes: 0, availableBytes: 0 };

/** A folder of the store: a disk of its own, which may fail without the others. */
export class DiskFolder {
  /** Place among the folders of the store. */
  readonly index: number;
  readonly folder: string;
  readonly diskType: string;
  readonly volumeCountMax: number | undefined;
  readonly freeBytesFloor: number;
  readonly uuid: string;
  #failure: unknown;

  constructor(index: number, given: VolumeFolder) {
    this.index = index;
    this.folder = given.path;
    this.diskType = given.diskType ?? "";
    this.volumeCountMax = given.volumeCountMax;
    this.freeBytesFloor = given.freeBytesFloor ?? 0;
    this.uuid = given.uuid ?? given.path;
    this.#failure = given.failure;
  }

  /** Why nothing here can be used; `undefined` while it can. */
  get failure(): unknown {
    return this.#failure;
  }

  fail(cause: unknown): void {
    this.#failure ??= cause;
  }

  /** `undefined` when the disk does not answer. */
  async space(disk: Pick<Disk, "space">): Promise<DiskSpace | undefined> {
    if (this.#failure !== undefined) return undefined;
    try {
      return await disk.space(this.folder);
    } catch {
      // Whoever asks takes the disk for one without space; what works on it is tried, and told, elsewhere.
      return undefined;
    }
  }

  async status(disk: Pick<Disk, "space">, volumeCount: number): Promise<DiskStatus> {
    const space = await this.space(disk);
    return {
      ...(space ?? NO_SPACE),
      folder: this.folder,
      diskType: this.diskType,
      state: space === undefined ? "failed" : "ok",
      volumeCount,
      volumeCountMax: this.volumeCountMax,
    };
  }
}
