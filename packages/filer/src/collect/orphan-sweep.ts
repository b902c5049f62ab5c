import { type Clock, type Log, Semaphore } from "@kelp/base";
import { type Fid, type VolumeClient, type VolumeId, formatFid } from "@kelp/wire";
import {
  ORPHAN_CANDIDATES_MAX,
  ORPHAN_GRACE_MS,
  REMOVE_FIDS_MAX,
  UNKNOWN_NEEDLES_MAX,
} from "../limits.ts";
import type { ReadManifest } from "../chunk/manifest-reader.ts";
import type { OtherBodies } from "../gateway/gateways.ts";
import { namedInContents } from "./named-in-contents.ts";
import { isNamedNeedle, namedCookies } from "./named-needle.ts";
import { isOfOneVolume } from "./refusing-volumes.ts";
import { strikeGarbage } from "./strike-garbage.ts";
import { type UnknownNeedle, UnknownNeedles } from "./unknown-needles.ts";
import type { FilerStore } from "../store/filer-store.ts";

export interface OrphanSweepDeps {
  readonly store: FilerStore;
  readonly volumes: VolumeClient;
  readonly readManifest: ReadManifest;
  /** Only volumes of this collection are the filer's. */
  readonly collection: string;
  readonly isInFlight: (fid: Fid) => boolean;
  readonly others: OtherBodies;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SweepOptions {
  /** Only these volumes; what was seen in others stays seen. Default all. */
  readonly only?: readonly VolumeId[];
  /** How long a needle must have been known to nobody. Default `ORPHAN_GRACE_MS`. */
  readonly graceMs?: number;
  /** Needles held before garbage is read through for them. Default `UNKNOWN_NEEDLES_MAX`. */
  readonly needlesAtOnce?: number;
  /** Called with the bytes of each needle that was read: who awaits it sets the pace. */
  readonly pace?: (scannedBytes: number) => Promise<void> | undefined;
  readonly signal?: AbortSignal;
}

export interface SweepReport {
  readonly scannedNeedles: number;
  readonly removedNeedles: number;
  readonly removedBytes: number;
  /** Known to nobody, and not long enough. */
  readonly waitingNeedles: number;
}

/**
 * Removes needles that a crash left behind: durable, and their entry never committed; or torn, in the middle of a volume. Nothing tells how old a needle is, so a needle
 * is removed when two sweeps, at least the grace apart, found it known to nobody: no entry, part, garbage row or body on its
 * way. Before the first is removed the lists of all entries are read for them, too. What was seen is remembered in memory; a restart begins anew.
 *
 * Garbage is not held in memory, however much there is: needles that nothing else knows are gathered, and struck off as garbage
 * is read through, `UNKNOWN_NEEDLES_MAX` at a time.
 */
export class OrphanSweep {
  readonly #deps: OrphanSweepDeps;
  /** When each candidate was first seen. */
  #seenMs = new Map<string, number>();
  /** Of two at once each would forget what the other saw. */
  readonly #oneAtATime = new Semaphore(1);

  constructor(deps: OrphanSweepDeps) {
    this.#deps = deps;
  }

  /** One sweep. Throws what the volumes throw; what was seen until then is kept. A second one waits for the first. */
  async run(options: SweepOptions = {}): Promise<SweepReport> {
    using _turn = await this.#oneAtATime.acquire(1);
    return await this.#sweep(options);
  }

  async #sweep(options: SweepOptions): Promise<SweepReport> {
    const { volumes, store, collection, clock, log } = this.#deps;
    const graceMs = options.graceMs ?? ORPHAN_GRACE_MS;
    const seenMs = this.#seenElsewhere(options);
    const due: UnknownNeedle[] = [];
    const removed: number[] = [];
    const unknown = new UnknownNeedles(options.needlesAtOnce ?? UNKNOWN_NEEDLES_MAX);
    let scannedNeedles = 0;
    const settle = async (): Promise<void> => {
      await this.#strikeGarbage(unknown, options);
      for (const orphan of unknown.take()) {
        // Asked of the few that are left: one that stands under another cookie than its name has is damaged.
        if (isNamedNeedle(store, orphan.fid)) continue;
        const name = formatFid(orphan.fid);
        const firstMs = this.#seenMs.get(name) ?? clock.nowMs();
        const isDue = firstMs <= clock.nowMs() - graceMs && this.#seenMs.has(name);
        if (isDue) due.push(orphan);
        else if (seenMs.size < ORPHAN_CANDIDATES_MAX) seenMs.set(name, firstMs);
      }
    };
    for (const volume of await volumes.volumes()) {
      if (volume.collection !== collection || volume.state === "missing") continue;
      if (options.only !== undefined && !options.only.includes(volume.id)) continue;
      try {
        for await (const needle of this.#needlesOf(volume.id, options)) {
          scannedNeedles += 1;
          if (needle === undefined) continue;
          unknown.add(needle);
          if (unknown.isFull) await settle();
        }
      } catch (error) {
        if (!isOfOneVolume(error)) throw error;
        log.error("a volume cannot be swept", { volume_id: volume.id, error });
        this.#keepSeen(volume.id, seenMs);
      }
    }
    await settle();
    for (const orphans of await this.#unnamed(due, options)) {
      removed.push(...(await this.#remove(orphans, options)));
    }
    this.#seenMs = seenMs;
    const removedNeedles = removed.length;
    const removedBytes = removed.reduce((sum, sizeBytes) => sum + sizeBytes, 0);
    if (removedNeedles > 0) {
      log.info("removed what crashes had left in volumes", {
        needle_count: removedNeedles,
        size_bytes: removedBytes,
      });
    }
    return { scannedNeedles, removedNeedles, removedBytes, waitingNeedles: seenMs.size };
  }

  /** What a sweep of some volumes does not look at. */
  #seenElsewhere({ only }: SweepOptions): Map<string, number> {
    if (only === undefined) return new Map();
    const names = new Set(only.map((id) => `${id}`));
    return new Map([...this.#seenMs].filter(([name]) => !names.has(name.split(",", 1)[0] ?? "")));
  }

  /** What was seen before of a volume that could not be looked at to its end. */
  #keepSeen(id: VolumeId, seenMs: Map<string, number>): void {
    for (const [name, firstMs] of this.#seenMs) {
      if (name.startsWith(`${id},`)) seenMs.set(name, firstMs);
    }
  }

  #strikeGarbage(unknown: UnknownNeedles, { pace, signal }: SweepOptions): Promise<void> {
    const { store, readManifest } = this.#deps;
    return strikeGarbage(unknown, { store, readManifest, pace, signal });
  }

  /** One item per needle; `undefined` for those that an entry, a part or a body names. */
  async *#needlesOf(
    volumeId: VolumeId,
    { pace, signal }: SweepOptions,
  ): AsyncGenerator<UnknownNeedle | undefined> {
    const { volumes, store, isInFlight } = this.#deps;
    for await (const needle of volumes.scan(volumeId)) {
      signal?.throwIfAborted();
      const isCorrupt = needle.kind === "corrupt";
      const sizeBytes = isCorrupt ? needle.recordBytes : needle.sizeBytes;
      const waiting = pace?.(sizeBytes);
      if (waiting !== undefined) await waiting;
      const { needleId, cookie } = needle;
      if (cookie === undefined) {
        yield undefined;
        continue;
      }
      const fid: Fid = { volumeId, needleId, cookie };
      const isNamed = isInFlight(fid) || store.isReferenced(fid);
      yield isNamed ? undefined : { fid, sizeBytes, isCorrupt };
    }
  }

  /** What no list of chunks names either, in slices. Costs nothing when nothing is due, as is usual. */
  async #unnamed(
    due: readonly UnknownNeedle[],
    options: SweepOptions,
  ): Promise<readonly (readonly UnknownNeedle[])[]> {
    if (due.length === 0) return [];
    const { store, readManifest, log } = this.#deps;
    const fids = due.map(({ fid }) => fid);
    const named = await namedInContents(fids, { ...options, store, readManifest });
    const unnamed = due.filter(({ fid }) => !named.has(formatFid(fid)));
    if (unnamed.length < due.length) {
      log.error("entries name needles whose references are lost, keeping them; run fsck", {
        needle_count: due.length - unnamed.length,
      });
    }
    const slices: UnknownNeedle[][] = [];
    for (let start = 0; start < unnamed.length; start += REMOVE_FIDS_MAX) {
      slices.push(unnamed.slice(start, start + REMOVE_FIDS_MAX));
    }
    return slices;
  }

  /**
   * Looks once more before the removal, in the order in which a chunk passes: on its way, then named, then garbage. So one that moves on
   * between two questions is met by the next. Returns the sizes of what was removed.
   */
  async #remove(orphans: readonly UnknownNeedle[], options: SweepOptions): Promise<number[]> {
    const unknown = new UnknownNeedles(REMOVE_FIDS_MAX);
    const inFlight = await this.#deps.others.inFlight(orphans.map(({ fid }) => fid));
    const { store } = this.#deps;
    const cookies = new Map<VolumeId, ReadonlySet<number>>();
    for (const { fid } of orphans) {
      if (!cookies.has(fid.volumeId)) cookies.set(fid.volumeId, namedCookies(store, fid.volumeId));
    }
    for (const [index, orphan] of orphans.entries()) {
      const { fid } = orphan;
      const hasOwnCookie = cookies.get(fid.volumeId)?.has(fid.cookie) === false;
      if (inFlight[index] === false && hasOwnCookie && !this.#isNamed(fid)) unknown.add(orphan);
    }
    await this.#strikeGarbage(unknown, options);
    const removed: number[] = [];
    for (const [id, needles] of Map.groupBy(unknown.take(), ({ fid }) => fid.volumeId)) {
      try {
        await this.#deps.volumes.remove(needles.map(({ fid }) => fid));
        for (const { sizeBytes } of needles) removed.push(sizeBytes);
      } catch (error) {
        if (!isOfOneVolume(error)) throw error;
        this.#deps.log.error("a volume gives up no orphans", { volume_id: id, error });
      }
    }
    return removed;
  }

  /** On its way is asked first: what is named in between is met then. */
  #isNamed(fid: Fid): boolean {
    const { store, isInFlight } = this.#deps;
    return isInFlight(fid) || store.isReferenced(fid) || isNamedNeedle(store, fid);
  }
}
