import type { Clock, Log } from "@kelp/base";
import { type Fid, type VolumeClient, type VolumeId, formatFid } from "@kelp/wire";
import { KnownGarbage } from "../check/known-garbage.ts";
import { ORPHAN_CANDIDATES_MAX, ORPHAN_GRACE_MS, REMOVE_FIDS_MAX } from "../limits.ts";
import type { OtherBodies } from "../gateway/gateways.ts";
import { isNamedNeedle, namedCookies } from "./named-needle.ts";
import type { FilerStore } from "../store/filer-store.ts";

export interface OrphanSweepDeps {
  readonly store: FilerStore;
  readonly volumes: VolumeClient;
  /** Only volumes of this collection are the filer's. */
  readonly collection: string;
  readonly isInFlight: (fid: Fid) => boolean;
  readonly others: OtherBodies;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SweepOptions {
  /** How long a needle must have been known to nobody. Default `ORPHAN_GRACE_MS`. */
  readonly graceMs?: number;
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
 * way. What was seen is remembered in memory; a restart begins anew.
 */
export class OrphanSweep {
  readonly #deps: OrphanSweepDeps;
  /** When each candidate was first seen. */
  #seenMs = new Map<string, number>();

  constructor(deps: OrphanSweepDeps) {
    this.#deps = deps;
  }

  /** One sweep over all volumes. Throws what the volumes throw; what was seen until then is kept. */
  async run(options: SweepOptions = {}): Promise<SweepReport> {
    const { volumes, store, collection, clock, log } = this.#deps;
    const garbage = new KnownGarbage(store);
    const graceMs = options.graceMs ?? ORPHAN_GRACE_MS;
    const seenMs = new Map<string, number>();
    const due: Orphan[] = [];
    const removed: number[] = [];
    let scannedNeedles = 0;
    for (const volume of await volumes.volumes()) {
      if (volume.collection !== collection || volume.state === "missing") continue;
      for await (const orphan of this.#orphansOf(volume.id, garbage, options)) {
        scannedNeedles += 1;
        if (orphan === undefined) continue;
        const name = formatFid(orphan.fid);
        const firstMs = this.#seenMs.get(name) ?? clock.nowMs();
        if (firstMs <= clock.nowMs() - graceMs && this.#seenMs.has(name)) due.push(orphan);
        else if (seenMs.size < ORPHAN_CANDIDATES_MAX) seenMs.set(name, firstMs);
        if (due.length >= REMOVE_FIDS_MAX)
          removed.push(...(await this.#remove(due.splice(0), garbage)));
      }
    }
    removed.push(...(await this.#remove(due, garbage)));
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

  /** One item per needle; `undefined` for those that somebody knows. */
  async *#orphansOf(
    volumeId: VolumeId,
    garbage: KnownGarbage,
    { pace, signal }: SweepOptions,
  ): AsyncGenerator<Orphan | undefined> {
    for await (const needle of this.#deps.volumes.scan(volumeId)) {
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
      const orphan: Orphan = { fid: { volumeId, needleId, cookie }, sizeBytes, isCorrupt };
      yield this.#isKnown(orphan, garbage) ? undefined : orphan;
    }
  }

  /** Looks once more, at the moment of the removal. Returns the sizes of what was removed. */
  async #remove(orphans: readonly Orphan[], garbage: KnownGarbage): Promise<number[]> {
    const inFlight = await this.#deps.others.inFlight(orphans.map(({ fid }) => fid));
    const { store } = this.#deps;
    const cookies = new Map<VolumeId, ReadonlySet<number>>();
    for (const { fid } of orphans) {
      if (!cookies.has(fid.volumeId)) cookies.set(fid.volumeId, namedCookies(store, fid.volumeId));
    }
    const removed = orphans.filter(
      (orphan, index) =>
        inFlight[index] === false &&
        cookies.get(orphan.fid.volumeId)?.has(orphan.fid.cookie) === false &&
        !this.#isKnown(orphan, garbage),
    );
    if (removed.length > 0) await this.#deps.volumes.remove(removed.map(({ fid }) => fid));
    return removed.map(({ sizeBytes }) => sizeBytes);
  }

  /** Asked in the order in which a chunk passes, so that one that moves on between two questions is met by the next. */
  #isKnown({ fid, isCorrupt }: Orphan, garbage: KnownGarbage): boolean {
    const { store, isInFlight } = this.#deps;
    return (
      isInFlight(fid) ||
      store.isReferenced(fid) ||
      (isCorrupt ? garbage.hasNeedle(fid) : garbage.has(fid)) ||
      isNamedNeedle(store, fid)
    );
  }
}

interface Orphan {
  readonly fid: Fid;
  /** Of the whole record when it is damaged. */
  readonly sizeBytes: number;
  readonly isCorrupt: boolean;
}
