import type { Clock, Log } from "@kelp/base";
import { type Chunk, type Fid, type VolumeClient, type VolumeId, formatFid } from "@kelp/wire";
import type { CollectorHolds } from "../backup/collector-holds.ts";
import type { ReadManifest } from "../chunk/manifest-reader.ts";
import { errorCodes } from "../errors.ts";
import type { ReaderPins } from "../chunk/reader-pins.ts";
import {
  GARBAGE_GRACE_MS,
  GARBAGE_ROWS_PER_ROUND_MAX,
  MANIFESTS_FREED_PER_ROUND_MAX,
  RECLAIM_TRANSACTIONS_PER_ROUND_MAX,
  REMOVE_FIDS_MAX,
} from "../limits.ts";
import type { OtherBodies } from "../gateway/gateways.ts";
import type { FilerStore, Garbage } from "../store/filer-store.ts";
import type { RefusingVolumes } from "./refusing-volumes.ts";

export interface CollectorDeps {
  readonly store: FilerStore;
  readonly volumes: VolumeClient;
  readonly readManifest: ReadManifest;
  readonly pins: ReaderPins;
  readonly holds: CollectorHolds;
  readonly others: OtherBodies;
  /** Kept from round to round. */
  readonly refusing: RefusingVolumes;
  readonly clock: Clock;
  readonly log: Log;
}

export interface CollectOptions {
  /** Only content freed at least this long ago. Default `GARBAGE_GRACE_MS`. */
  readonly graceMs?: number;
  /** Checked between removals. */
  readonly signal?: AbortSignal;
}

export interface CollectReport {
  readonly removedChunks: number;
  readonly removedBytes: number;
  /** Content that readers still hold, or that is in a volume which refused a removal. */
  readonly heldRows: number;
  /** Chunks queued as garbage though something names them: a bug, and they are left alone. */
  readonly referencedChunks: number;
  /** More garbage is due: run another round soon. */
  readonly hasMore: boolean;
}

/**
 * One round: first rows, whose content becomes garbage, then garbage whose grace is over. Of that it proves that nothing names
 * it, removes the needles, then forgets the garbage. A crash between the last two repeats the removal, which skips
 * what is absent; needle ids are never used again. What a manifest lists goes before the manifest itself.
 * What was in a volume that is deleted is gone with it. While something is held only rows are dealt with: the work goes on that
 * callers were promised, and what is garbage stays; whoever takes a hold waits for a round that has taken up some.
 * Throws what the volumes throw, having forgotten nothing that was not removed; when one volume refuses, after all others.
 */
export async function collectRound(
  deps: CollectorDeps,
  options: CollectOptions = {},
): Promise<CollectReport> {
  const reclaimedCount = await reclaimRows(deps.store, options.signal);
  const freed = await freeChunks(deps, options);
  const isReclaimed = reclaimedCount < RECLAIM_TRANSACTIONS_PER_ROUND_MAX;
  return { ...freed, hasMore: freed.hasMore || !isReclaimed };
}

/** Returns the number of transactions that did something. */
async function reclaimRows(store: FilerStore, signal: AbortSignal | undefined): Promise<number> {
  for (let count = 0; count < RECLAIM_TRANSACTIONS_PER_ROUND_MAX; count += 1) {
    signal?.throwIfAborted();
    if (!(await store.reclaim())) return count;
  }
  return RECLAIM_TRANSACTIONS_PER_ROUND_MAX;
}

async function freeChunks(deps: CollectorDeps, options: CollectOptions): Promise<CollectReport> {
  const { rows, heldRows, hasMore } = await dueRows(deps, options);
  const { store, log } = deps;
  const free: Chunk[] = [];
  let referencedChunks = 0;
  for (const row of rows) {
    for (const chunk of row.chunks) {
      if (store.isReferenced(chunk.fid)) referencedChunks += 1;
      else free.push(chunk);
    }
  }
  if (referencedChunks > 0) {
    log.error("garbage is still named by entries, keeping it", { chunk_count: referencedChunks });
  }
  const refusals = new Map<VolumeId, unknown>();
  const attempt = async (id: VolumeId, work: () => Promise<number>): Promise<number> => {
    try {
      return await work();
    } catch (error) {
      if (!deps.refusing.note(id, error)) throw error;
      refusals.set(id, error);
      return 0;
    }
  };
  let removedChunks = 0;
  for (const chunk of free.filter(isManifest)) {
    removedChunks += await attempt(chunk.fid.volumeId, () => freeListed(deps, chunk, options));
  }
  const left = free.filter(({ fid }) => !refusals.has(fid.volumeId));
  for (const [id, chunks] of Map.groupBy(left, ({ fid }) => fid.volumeId)) {
    removedChunks += await attempt(id, async () => {
      await removeNeedles(deps, chunks, options.signal);
      return chunks.length;
    });
  }
  const isDone = (row: Garbage): boolean =>
    !row.chunks.some(({ fid }) => refusals.has(fid.volumeId));
  const done = rows.filter((row) => isDone(row));
  if (done.length > 0) await store.dropGarbage(done.map((row) => row.id));
  for (const error of refusals.values()) throw error;
  const removedBytes = free.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
  return { removedChunks, removedBytes, heldRows, referencedChunks, hasMore };
}

/** Garbage whose grace is over and that neither a reader nor its volume holds. */
async function dueRows(
  { store, pins, holds, others, refusing, clock }: CollectorDeps,
  options: CollectOptions,
): Promise<{ readonly rows: Garbage[]; readonly heldRows: number; readonly hasMore: boolean }> {
  const freedMsMax = clock.nowMs() - (options.graceMs ?? GARBAGE_GRACE_MS);
  const rows: Garbage[] = [];
  let manifests = 0;
  let heldRows = 0;
  let afterId = 0;
  let hasMore = true;
  // Held rows are stepped over, so that a long download does not stop the freeing of everything behind it.
  while (hasMore && rows.length < GARBAGE_ROWS_PER_ROUND_MAX) {
    if (holds.isHeld) return { rows, heldRows, hasMore: false };
    const limit = GARBAGE_ROWS_PER_ROUND_MAX - rows.length;
    const found = store.listGarbage({ freedMsMax, afterId, limit });
    const heldElsewhere = await others.pinned(found.flatMap(({ chunks }) => firstFid(chunks)));
    let asked = 0;
    for (const row of found) {
      const isHeldElsewhere = row.chunks.length > 0 && heldElsewhere[asked++] !== false;
      if (manifests >= MANIFESTS_FREED_PER_ROUND_MAX) return { rows, heldRows, hasMore: true };
      afterId = row.id;
      if (isHeldElsewhere || pins.holds(row.chunks) || refusing.holds(row.chunks)) {
        heldRows += 1;
        continue;
      }
      rows.push(row);
      manifests += row.chunks.filter(isManifest).length;
    }
    hasMore = found.length === limit;
  }
  return { rows, heldRows, hasMore };
}

function firstFid([first]: readonly Chunk[]): Fid[] {
  return first === undefined ? [] : [first.fid];
}

/** Frees what a manifest lists, in slices; only the manifest names it. Returns the number of chunks. */
async function freeListed(
  deps: CollectorDeps,
  manifest: Chunk,
  options: CollectOptions,
): Promise<number> {
  const { store, readManifest, log } = deps;
  let listed: readonly Chunk[];
  try {
    listed = await readManifest(manifest);
  } catch (error) {
    const codes = errorCodes(error);
    // A round before this one was interrupted behind its removal.
    if (codes.includes("chunk-missing")) return 0;
    if (!codes.includes("chunk-corrupt")) throw error;
    log.error("what a corrupt manifest lists stays behind", { fid: formatFid(manifest.fid) });
    return 0;
  }
  let count = listed.length;
  for (const chunk of listed) {
    if (isManifest(chunk)) count += await freeListed(deps, chunk, options);
  }
  for (let start = 0; start < listed.length; start += REMOVE_FIDS_MAX) {
    const slice = listed.slice(start, start + REMOVE_FIDS_MAX);
    await store.forgetListed(slice);
    await removeNeedles(deps, slice, options.signal);
  }
  return count;
}

async function removeNeedles(
  { volumes, log }: CollectorDeps,
  chunks: readonly Chunk[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let start = 0; start < chunks.length; start += REMOVE_FIDS_MAX) {
    signal?.throwIfAborted();
    const fids = chunks.slice(start, start + REMOVE_FIDS_MAX).map((chunk) => chunk.fid);
    try {
      await volumes.remove(fids);
    } catch (error) {
      const codes = errorCodes(error);
      // Those of other volumes were removed all the same.
      if (codes.includes("no-such-volume")) continue;
      if (!codes.includes("needle-corrupt")) throw error;
      for (const fid of fids) await removeUnlessCorrupt(volumes, fid, log);
    }
  }
}

/** One that is too damaged to be told for the needle that is meant stays behind: it holds up no other, and a sweep may take it. */
async function removeUnlessCorrupt(volumes: VolumeClient, fid: Fid, log: Log): Promise<void> {
  try {
    await volumes.remove([fid]);
  } catch (error) {
    const codes = errorCodes(error);
    if (codes.includes("no-such-volume")) return;
    if (!codes.includes("needle-corrupt")) throw error;
    log.error("a damaged needle that nothing names any more stays behind", { fid: formatFid(fid) });
  }
}

function isManifest(chunk: Chunk): boolean {
  return chunk.isManifest === true;
}
