import { type Clock, type Disk, type DiskSpace, makeDurableFolder } from "@kelp/base";
import type { DiskStatus } from "@kelp/wire";
import { SPACE_AGE_MS_MAX } from "../limits.ts";

/** One folder for volumes, as its operator wants it used. */
export interface VolumeFolder {
  readonly path: string;
  /** Kind of disk behind it, such as `ssd`; "" when nobody said. */
  readonly diskType?: string;
  /** Volumes that are made here at most; as many as space allows unless given. */
  readonly volumeCountMax?: number | undefined;
  /** No volume is made, and none takes needles, while less than this is free. Default 0. */
  readonly freeBytesFloor?: number;
  /**
   * Takes the folder for this process and learns its identity; a plain folder, made when absent, unless given.
   * `expectedUuid`: what stood there last. Throws `folder-in-use`, or why the folder cannot be used.
   */
  take?(expectedUuid: string | undefined): Promise<FolderHold>;
}

/** A folder that this process has. Disposing gives it back. */
export interface FolderHold extends Disposable {
  /** Tells the folder from every other, wherever it is mounted. */
  readonly uuid: string;
  /** Throws when the folder is not there any more, or is another one. */
  probe(): Promise<void>;
}

interface SpaceDeps {
  readonly disk: Pick<Disk, "space">;
  readonly clock: Pick<Clock, "monotonicMs">;
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
  readonly #given: VolumeFolder;
  #hold: FolderHold | undefined;
  #failure: unknown;
  /** Volumes of this folder that failed while it was used. */
  failedVolumeCount = 0;
  /** What may still be written before the floor is reached, as measured at `#measuredMs`. */
  #roomBytes = Number.POSITIVE_INFINITY;
  #measuredMs = Number.NEGATIVE_INFINITY;
  #isLow = false;
  #wantedBytes = 0;
  #measuring: Promise<DiskSpace | undefined> | undefined;

  constructor(index: number, given: VolumeFolder) {
    this.index = index;
    this.folder = given.path;
    this.diskType = given.diskType ?? "";
    this.volumeCountMax = given.volumeCountMax;
    this.freeBytesFloor = given.freeBytesFloor ?? 0;
    this.#given = given;
  }

  /** Why nothing here can be used; `undefined` while it can. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Of the folder that is held, else its path. */
  get uuid(): string {
    return this.#hold?.uuid ?? this.folder;
  }

  get isHeld(): boolean {
    return this.#hold !== undefined;
  }

  /** Less than the floor is free. */
  get isLow(): boolean {
    return this.#isLow;
  }

  /** Throws what keeps the folder from being used, which then is its `failure`. */
  async take(disk: Disk, expectedUuid: string | undefined): Promise<void> {
    try {
      this.#hold = (await this.#given.take?.(expectedUuid)) ?? (await plainHold(disk, this.folder));
      await disk.list(this.folder);
      this.#failure = undefined;
    } catch (error) {
      this.fail(error);
      this.release();
      throw error;
    }
  }

  /** Throws when the disk does not answer, or another one stands in its place. */
  async probe(disk: Disk): Promise<void> {
    await disk.list(this.folder);
    await this.#hold?.probe();
  }

  /** Nothing here is used from now on. What was open is closed before `release`. */
  fail(cause: unknown): void {
    this.#failure = cause ?? new Error("the disk failed");
  }

  /** Gives the folder back to others. Harmless when repeated. */
  release(): void {
    this.#hold?.[Symbol.dispose]();
    this.#hold = undefined;
  }

  /**
   * Whether `bytes` more may be written; counts them as written. `unknown`: to be measured first, because the
   * measurement is too old or says that too little is left.
   */
  admit(bytes: number, clock: Pick<Clock, "monotonicMs">): "yes" | "unknown" {
    if (this.freeBytesFloor === 0) return "yes";
    const isFresh = clock.monotonicMs() - this.#measuredMs <= SPACE_AGE_MS_MAX;
    if (!isFresh || this.#isLow || bytes > this.#roomBytes) return "unknown";
    this.#roomBytes -= bytes;
    return "yes";
  }

  /** `bytes` were asked for and are not there: the disk is low until there is room for twice as much. */
  runLow(bytes: number): void {
    this.#wantedBytes = 2 * bytes;
    this.#isLow = true;
  }

  /** Measures what is free. `undefined` when the disk does not answer. */
  space(deps: SpaceDeps): Promise<DiskSpace | undefined> {
    this.#measuring ??= this.#measure(deps).finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async status(deps: SpaceDeps, volumeCount: number): Promise<DiskStatus> {
    const space = await this.space(deps);
    return {
      ...(space ?? NO_SPACE),
      folder: this.folder,
      diskType: this.diskType,
      state: space === undefined ? "failed" : "ok",
      volumeCount,
      volumeCountMax: this.volumeCountMax,
    };
  }

  async #measure({ disk, clock }: SpaceDeps): Promise<DiskSpace | undefined> {
    if (this.#failure !== undefined) return undefined;
    let space: DiskSpace;
    try {
      space = await disk.space(this.folder);
    } catch {
      // Whoever asks takes the disk for one without space; whether it failed is found out by `probe`.
      return undefined;
    }
    this.#measuredMs = clock.monotonicMs();
    this.#roomBytes = space.availableBytes - this.freeBytesFloor;
    this.#isLow = this.#roomBytes < (this.#isLow ? this.#wantedBytes : 0);
    return space;
  }
}

async function plainHold(disk: Disk, folder: string): Promise<FolderHold> {
  await makeDurableFolder(disk, folder);
  return { uuid: folder, probe: async () => undefined, [Symbol.dispose]: () => undefined };
}
