import { type Clock, type Log, type Random, assert } from "@kelp/base";
import {
  type AssignRequest,
  type DiskStatus,
  type Fid,
  type MasterAdmin,
  type MasterClient,
  type MasterStatus,
  type NeedleId,
  type VolumeAdmin,
  type VolumeClient,
  type VolumeId,
  type VolumeLayout,
  type VolumeState,
  type VolumeStateChange,
  type VolumeStateSource,
  type VolumeStatus,
  needleId,
  volumeId,
} from "@kelp/wire";
import { MasterError } from "./errors.ts";
import { LayoutVolumes, layoutKey, layoutsOf } from "./layout-volumes.ts";
import {
  ASSIGN_COUNT_MAX,
  FAILED_VOLUME_COUNT_MAX,
  GROW_COUNT_MAX,
  GROW_RETRY_MS,
  LAYOUT_COUNT_MAX,
  NEEDLE_ID_COUNTED_END,
  VOLUME_COUNT_MAX,
  WRITABLE_COUNT_DEFAULT,
} from "./limits.ts";

export interface MasterOptions {
  readonly volumes: VolumeClient;
  /** Where changes of volumes are announced. Without it, whoever sees an append refused calls `refresh`. */
  readonly states?: VolumeStateSource;
  /** Where the volumes are, and how much is free there. */
  readonly disks: Pick<VolumeAdmin, "disks">;
  readonly random: Pick<Random, "uint32">;
  readonly clock: Pick<Clock, "monotonicMs" | "nowMs">;
  readonly log: Log;
  /** Volumes of a layout that take needles at the same time. */
  readonly writableCount?: number;
}

/** Learns what volumes there are. The master uses `volumes` but does not own it; close the master first. */
export async function openMaster(options: MasterOptions): Promise<Master> {
  const master = new Master(options);
  await master.refresh();
  return master;
}

/** What the master knows of a volume. */
interface KnownVolume {
  state: VolumeState;
  /** Place of its last change among all: what was listed before says nothing newer. */
  changedAt: number;
  readonly createdMs: number;
  readonly layouts: readonly LayoutVolumes[];
}

/**
 * Assigns needles to volumes, in one process.
 *
 * Invariants:
 * - a needle id is assigned once: ids count up from the highest that any volume they are assigned in has ever held;
 * - a volume is picked only while its last known state is `writable`;
 * - at most one volume a layout is being made at a time.
 */
export class Master implements MasterClient, MasterAdmin, AsyncDisposable {
  readonly #options: MasterOptions;
  readonly #writableCount: number;
  readonly #layouts = new Map<string, LayoutVolumes>();
  readonly #known = new Map<VolumeId, KnownVolume>();
  readonly #watch: Disposable | undefined;
  #needleIdLast = 0n;
  #volumeIdLast = 0;
  /** Volumes that failed while this master watched. */
  #failedCount = 0;
  /** Counts the changes noticed. */
  #changes = 0;
  #refreshing: Promise<void> | undefined;
  /** Something unknown was noticed while a refresh was under way. */
  #isRefreshStale = false;
  #isClosed = false;

  /** For `openMaster`, which refreshes. */
  constructor(options: MasterOptions) {
    this.#options = options;
    this.#writableCount = options.writableCount ?? WRITABLE_COUNT_DEFAULT;
    assert(this.#writableCount > 0, "a layout writes to at least one volume");
    this.#watch = options.states?.watchStates((change) => this.#notice(change));
  }

  /**
   * Without waiting while the layout has a writable volume. The next volume is made in the background
   * as soon as one is missing. Throws `no-writable-volume`, `out-of-space`, `invalid-request`, `closed`.
   */
  async assign(request: AssignRequest): Promise<Fid> {
    if (this.#isClosed) throw new MasterError("closed", "Cannot assign a needle: closed");
    const { count = 1 } = request;
    if (!(Number.isInteger(count) && count >= 1 && count <= ASSIGN_COUNT_MAX)) {
      throw new MasterError(
        "invalid-request",
        `Cannot assign ${count} needles: from 1 to ${ASSIGN_COUNT_MAX} can be assigned at once`,
      );
    }
    const volumes = this.#layout(request);
    volumes.isUsed = true;
    volumes.retireOld(this.#options.clock.nowMs());
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
    return { volumeId: id, needleId: this.leaseIds(count), cookie: this.#options.random.uint32() };
  }

  /** The first of `count` ids, one after another, that are assigned to nobody else. */
  leaseIds(count: number): NeedleId {
    assert(Number.isInteger(count) && count > 0, "ids are leased in whole numbers");
    const first = this.#needleIdLast + 1n;
    this.#needleIdLast += BigInt(count);
    return needleId(first);
  }

  /** One after another. Stops at the first that cannot be made, and throws when that is the first. */
  async grow(count: number, layout: VolumeLayout): Promise<readonly VolumeId[]> {
    if (this.#isClosed) throw new MasterError("closed", "Cannot make volumes: closed");
    if (!(Number.isInteger(count) && count >= 1 && count <= GROW_COUNT_MAX)) {
      throw new MasterError(
        "invalid-request",
        `Cannot make ${count} volumes: from 1 to ${GROW_COUNT_MAX} can be made at once`,
      );
    }
    const made: VolumeId[] = [];
    for (let index = 0; index < count && !this.#isClosed; index++) {
      try {
        made.push(await this.#createVolume(this.#layout(layout)));
      } catch (error) {
        if (made.length === 0) throw error;
        this.#options.log.warn("fewer volumes were made than asked for", {
          collection: layout.collection,
          made_count: made.length,
          error,
        });
        break;
      }
    }
    return made;
  }

  async status(): Promise<MasterStatus> {
    const volumes = await this.#options.volumes.volumes();
    const disks = differentFileSystems(await this.#options.disks.disks());
    const sum = (key: "totalBytes" | "availableBytes"): number =>
      disks.reduce((total, disk) => total + disk[key], 0);
    return { volumes, totalBytes: sum("totalBytes"), availableBytes: sum("availableBytes") };
  }

  /** Asks for the state of all volumes anew. */
  async refresh(): Promise<void> {
    const changesBefore = this.#changes;
    for (const status of await this.#options.volumes.volumes()) {
      if (isCountable(status) && status.needleIdMax > this.#needleIdLast) {
        this.#needleIdLast = status.needleIdMax;
      }
      const earlier = this.#known.get(status.id);
      // What was announced while the list was on its way is newer.
      if (earlier !== undefined && earlier.changedAt > changesBefore) continue;
      // One that another process has is its alone to fill.
      const state = status.holder === undefined ? status.state : "read-only";
      const isKnown = earlier !== undefined && !isComingBack(earlier.state, state);
      this.#change({ ...status, state }, isKnown ? earlier : this.#learn(status));
    }
    for (const [id, known] of this.#known) {
      if (known.state === "deleted" && known.changedAt <= changesBefore) this.#known.delete(id);
    }
  }

  /** Waits for a volume being made. Closing twice is harmless. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    for (const { growing } of this.#layouts.values()) {
      // A failure has been told to those who waited for it, or logged.
      await Promise.allSettled([growing ?? Promise.resolve()]);
    }
    await this.#refreshing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #layout(layout: VolumeLayout): LayoutVolumes {
    const key = layoutKey(layout);
    let volumes = this.#layouts.get(key);
    if (volumes === undefined) {
      if (this.#layouts.size >= LAYOUT_COUNT_MAX) {
        throw new MasterError(
          "no-writable-volume",
          `Cannot assign a needle: there are ${LAYOUT_COUNT_MAX} kinds of volumes already`,
        );
      }
      const { collection, replicaPlacement, ttl, diskType } = layout;
      volumes = new LayoutVolumes({ collection, replicaPlacement, ttl, diskType });
      this.#layouts.set(key, volumes);
    }
    return volumes;
  }

  /** Finds the layouts that a volume serves. It keeps them until it goes: of one that cannot be used its status says nothing true. */
  #learn(status: VolumeStatus): KnownVolume {
    // Where ids cannot be counted from the highest, nobody knows which are free: it is picked for none.
    const served = isCountable(status) ? layoutsOf(status) : [];
    const layouts = served.map((layout) => this.#layout(layout));
    // Not writable until noticed, so that the first notice counts as a change.
    const known: KnownVolume = {
      state: "read-only",
      changedAt: 0,
      createdMs: status.createdMs,
      layouts,
    };
    this.#known.set(status.id, known);
    return known;
  }

  #notice(change: VolumeStateChange): void {
    const known = this.#known.get(change.id);
    this.#volumeIdLast = Math.max(this.#volumeIdLast, change.id);
    const isKnown = known !== undefined && known.state !== "deleted";
    if (isKnown && !isComingBack(known.state, change.state)) {
      this.#change(change, known);
      return;
    }
    if (change.state === "deleted") return;
    // Made or brought back, perhaps as another: what it is for, and which ids it has had, stands in its status.
    this.#known.delete(change.id);
    this.#refreshInBackground();
  }

  #change({ id, state }: VolumeStateChange, known: KnownVolume): void {
    this.#volumeIdLast = Math.max(this.#volumeIdLast, id);
    const before = known.state;
    known.state = state;
    known.changedAt = ++this.#changes;
    if (before === "writable" && state === "failed") this.#failedCount++;
    for (const volumes of known.layouts) {
      if (state === "writable") {
        volumes.add(id, known.createdMs);
        continue;
      }
      volumes.retire(id);
      // The next one is made while the others still serve; one that was never writable starts nothing, and what is
      // deleted is not wanted any more.
      if (before === "writable" && state !== "deleted") this.#growInBackground(volumes);
    }
  }

  #refreshInBackground(): void {
    this.#isRefreshStale = true;
    if (this.#isClosed) return;
    this.#refreshing ??= this.#refreshUntilFresh().finally(() => {
      this.#refreshing = undefined;
    });
  }

  async #refreshUntilFresh(): Promise<void> {
    try {
      while (this.#isRefreshStale && !this.#isClosed) {
        this.#isRefreshStale = false;
        await this.refresh();
      }
    } catch (error) {
      this.#options.log.warn("cannot list the volumes", { error });
    }
  }

  #growInBackground(volumes: LayoutVolumes): void {
    if (this.#isClosed || !volumes.isUsed || volumes.growing !== undefined) return;
    if (volumes.writableCount >= this.#writableCount) return;
    if (this.#options.clock.monotonicMs() < volumes.growNotBeforeMs) return;
    this.#grow(volumes).catch((error: unknown) => {
      volumes.growNotBeforeMs = this.#options.clock.monotonicMs() + GROW_RETRY_MS;
      this.#options.log.warn("cannot make another volume", {
        collection: volumes.layout.collection,
        error,
      });
    });
  }

  #grow(volumes: LayoutVolumes): Promise<void> {
    volumes.growing ??= this.#growOnce(volumes).finally(() => {
      volumes.growing = undefined;
    });
    return volumes.growing;
  }

  async #growOnce(volumes: LayoutVolumes): Promise<void> {
    const before = volumes.writableCount;
    if (before === 0) {
      // Measuring tells volumes that were retired for the lack of space that there is some again.
      await this.#options.disks.disks();
      if (volumes.writableCount > 0) return;
    }
    await this.#createVolume(volumes);
  }

  async #createVolume(volumes: LayoutVolumes): Promise<VolumeId> {
    this.#checkCounts();
    const id = volumeId(this.#volumeIdLast + 1);
    this.#volumeIdLast = id;
    const { collection, replicaPlacement = 0, ttl, diskType = "" } = volumes.layout;
    const options = {
      collection,
      replicaPlacement,
      ...(ttl === undefined ? {} : { ttl }),
      ...(diskType === "" ? {} : { diskType }),
    };
    try {
      await this.#options.volumes.createVolume(id, options);
    } catch (error) {
      const code = hasCode(error, "out-of-space") ? "out-of-space" : "no-writable-volume";
      const reason = error instanceof Error ? error.message : String(error);
      const message = `Cannot assign a needle: volume ${id} cannot be made (${reason})`;
      throw new MasterError(code, message, { cause: error });
    }
    // On which disk it is, and what has become of it since, stands in its status.
    await this.#refreshing;
    await this.refresh();
    return id;
  }

  #checkCounts(): void {
    if (this.#failedCount >= FAILED_VOLUME_COUNT_MAX) {
      throw new MasterError(
        "no-writable-volume",
        `Cannot assign a needle: ${this.#failedCount} volumes failed, the disk seems broken`,
      );
    }
    if (this.#known.size >= VOLUME_COUNT_MAX) {
      throw new MasterError(
        "no-writable-volume",
        `Cannot assign a needle: there are ${this.#known.size} volumes, at most ${VOLUME_COUNT_MAX} are allowed`,
      );
    }
  }
}

function isCountable({ needleIdMax }: VolumeStatus): boolean {
  return needleIdMax < NEEDLE_ID_COUNTED_END;
}

/** Whether a volume that could not be used can be now. */
function isComingBack(before: VolumeState, state: VolumeState): boolean {
  const isGone = (its: VolumeState): boolean => its === "missing" || its === "failed";
  return isGone(before) && !isGone(state) && state !== "deleted";
}

/** Folders of one file system share its space, which counts once. */
function differentFileSystems(disks: readonly DiskStatus[]): readonly DiskStatus[] {
  const known = new Set<string>();
  return disks.filter(({ fileSystem }) => {
    if (fileSystem === undefined) return true;
    const isNew = !known.has(fileSystem);
    known.add(fileSystem);
    return isNew;
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
