import { type Clock, type Disk, type Log, type Random, assert } from "@kelp/base";
import {
  type AssignRequest,
  type Fid,
  type MasterClient,
  type MasterStatus,
  type VolumeClient,
  type VolumeId,
  type VolumeState,
  type VolumeStateChange,
  type VolumeStateSource,
  needleId,
  volumeId,
} from "@kelp/wire";
import { CollectionVolumes } from "./collection-volumes.ts";
import { MasterError } from "./errors.ts";
import {
  FAILED_VOLUME_COUNT_MAX,
  FREE_BYTES_FLOOR_DEFAULT,
  GROW_RETRY_MS,
  VOLUME_COUNT_MAX,
  WRITABLE_COUNT_DEFAULT,
} from "./limits.ts";

export interface MasterOptions {
  readonly volumes: VolumeClient;
  /** Where changes of volumes are announced. Without it, whoever sees an append refused calls `refresh`. */
  readonly states?: VolumeStateSource;
  readonly disk: Pick<Disk, "space">;
  /** Where the volumes are, for measuring free space. */
  readonly folder: string;
  readonly random: Pick<Random, "uint32">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Log;
  /** Volumes of a collection that take needles at the same time. */
  readonly writableCount?: number;
  /** No volume is made while less than this is free. */
  readonly freeBytesFloor?: number;
}

/** Learns what volumes there are. The master uses `volumes` but does not own it; close the master first. */
export async function openMaster(options: MasterOptions): Promise<Master> {
  const master = new Master(options);
  await master.refresh();
  return master;
}

/**
 * Assigns needles to volumes, in one process.
 *
 * Invariants:
 * - a needle id is assigned once: ids count up from the highest that any volume has ever held;
 * - a volume is picked only while its last known state is `writable`;
 * - at most one volume a collection is being made at a time.
 */
export class Master implements MasterClient, AsyncDisposable {
  readonly #options: MasterOptions;
  readonly #writableCount: number;
  readonly #collections = new Map<string, CollectionVolumes>();
  readonly #states = new Map<VolumeId, VolumeState>();
  readonly #watch: Disposable | undefined;
  #needleIdLast = 0n;
  #volumeIdLast = 0;
  /** Volumes that failed while this master watched. */
  #failedCount = 0;
  #isClosed = false;

  /** For `openMaster`, which refreshes. */
  constructor(options: MasterOptions) {
    this.#options = options;
    this.#writableCount = options.writableCount ?? WRITABLE_COUNT_DEFAULT;
    assert(this.#writableCount > 0, "a collection writes to at least one volume");
    this.#watch = options.states?.watchStates((change) => this.#notice(change));
  }

  /**
   * Without waiting while the collection has a writable volume. The next volume is made in the background
   * as soon as one is missing. Throws `no-writable-volume`, `out-of-space`, `closed`.
   */
  async assign(request: AssignRequest): Promise<Fid> {
    if (this.#isClosed) throw new MasterError("closed", "Cannot assign a needle: closed");
    const volumes = this.#collection(request.collection);
    if (volumes.writableCount < this.#writableCount) {
      if (volumes.writableCount === 0) await this.#grow(volumes);
      else this.#growInBackground(volumes);
    }
    const id = volumes.pick();
    if (id === undefined) {
      throw new MasterError(
        "no-writable-volume",
        "Cannot assign a needle: the volume just made takes no needles",
      );
    }
    this.#needleIdLast++;
    return {
      volumeId: id,
      needleId: needleId(this.#needleIdLast),
      cookie: this.#options.random.uint32(),
    };
  }

  async status(): Promise<MasterStatus> {
    const volumes = await this.#options.volumes.volumes();
    const space = await this.#options.disk.space(this.#options.folder);
    return { volumes, totalBytes: space.totalBytes, availableBytes: space.availableBytes };
  }

  /** Asks for the state of all volumes anew. */
  async refresh(): Promise<void> {
    for (const status of await this.#options.volumes.volumes()) {
      if (status.needleIdMax > this.#needleIdLast) this.#needleIdLast = status.needleIdMax;
      this.#notice(status);
    }
  }

  /** Waits for a volume being made. Closing twice is harmless. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    for (const { growing } of this.#collections.values()) {
      // A failure has been told to those who waited for it, or logged.
      await Promise.allSettled([growing ?? Promise.resolve()]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #collection(collection: string): CollectionVolumes {
    let volumes = this.#collections.get(collection);
    if (volumes === undefined) {
      volumes = new CollectionVolumes(collection);
      this.#collections.set(collection, volumes);
    }
    return volumes;
  }

  #notice(change: VolumeStateChange): void {
    const before = this.#states.get(change.id);
    this.#states.set(change.id, change.state);
    if (change.id > this.#volumeIdLast) this.#volumeIdLast = change.id;
    if (before === "writable" && change.state === "failed") this.#failedCount++;
    const volumes = this.#collection(change.collection);
    if (change.state === "writable") {
      volumes.add(change.id);
      return;
    }
    volumes.retire(change.id);
    // The next one is made while the others still serve; one that was never writable starts nothing.
    if (before === "writable") this.#growInBackground(volumes);
  }

  #growInBackground(volumes: CollectionVolumes): void {
    if (this.#isClosed || volumes.growing !== undefined) return;
    if (this.#options.clock.monotonicMs() < volumes.growNotBeforeMs) return;
    this.#grow(volumes).catch((error: unknown) => {
      volumes.growNotBeforeMs = this.#options.clock.monotonicMs() + GROW_RETRY_MS;
      this.#options.log.warn("cannot make another volume", {
        collection: volumes.collection,
        error,
      });
    });
  }

  #grow(volumes: CollectionVolumes): Promise<void> {
    volumes.growing ??= this.#createVolume(volumes).finally(() => {
      volumes.growing = undefined;
    });
    return volumes.growing;
  }

  async #createVolume(volumes: CollectionVolumes): Promise<void> {
    await this.#checkRoom();
    const id = volumeId(this.#volumeIdLast + 1);
    this.#volumeIdLast = id;
    const { collection } = volumes;
    try {
      await this.#options.volumes.createVolume(id, { collection });
    } catch (error) {
      const code = hasCode(error, "out-of-space") ? "out-of-space" : "no-writable-volume";
      throw new MasterError(code, `Cannot assign a needle: volume ${id} cannot be made`, {
        cause: error,
      });
    }
    // Announced already where changes are; it may even have changed again since.
    if (!this.#states.has(id)) this.#notice({ id, collection, state: "writable" });
  }

  async #checkRoom(): Promise<void> {
    if (this.#failedCount >= FAILED_VOLUME_COUNT_MAX) {
      throw new MasterError(
        "no-writable-volume",
        `Cannot assign a needle: ${this.#failedCount} volumes failed, the disk seems broken`,
      );
    }
    if (this.#states.size >= VOLUME_COUNT_MAX) {
      throw new MasterError(
        "no-writable-volume",
        `Cannot assign a needle: there are ${this.#states.size} volumes, at most ${VOLUME_COUNT_MAX} are allowed`,
      );
    }
    const floor = this.#options.freeBytesFloor ?? FREE_BYTES_FLOOR_DEFAULT;
    const { availableBytes } = await this.#options.disk.space(this.#options.folder);
    if (availableBytes < floor) {
      throw new MasterError(
        "out-of-space",
        `Cannot assign a needle: ${availableBytes} bytes are free, a new volume wants ${floor}`,
      );
    }
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
