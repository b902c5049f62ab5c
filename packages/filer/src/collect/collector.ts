import type { Clock, Log } from "@kelp/base";
import type { Chunk, VolumeClient } from "@kelp/wire";
import type { ReaderPins } from "../chunk/reader-pins.ts";
import {
  GARBAGE_GRACE_MS,
  GARBAGE_ROWS_PER_ROUND_MAX,
  RECLAIM_TRANSACTIONS_PER_ROUND_MAX,
  REMOVE_FIDS_MAX,
} from "../limits.ts";
import type { FilerStore, Garbage } from "../store/filer-store.ts";

export interface CollectorDeps {
  readonly store: FilerStore;
  readonly volumes: VolumeClient;
  readonly pins: ReaderPins;
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
  /** Content that readers still hold. */
  readonly heldRows: number;
  /** Chunks queued as garbage though something names them: a bug, and they are left alone. */
  readonly referencedChunks: number;
  /** More garbage is due: run another round soon. */
  readonly hasMore: boolean;
}

/**
 * One round: first rows, whose content becomes garbage, then garbage whose grace is over. For chunks it proves that nothing names them, removes the needles, then forgets the garbage. A crash
 * between the last two repeats the removal, which skips what is absent; needle ids are never used again.
 * Throws what the volumes throw, having forgotten nothing that was not removed.
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
  const { store, volumes, pins, clock, log } = deps;
  const freedMsMax = clock.nowMs() - (options.graceMs ?? GARBAGE_GRACE_MS);
  const rows: Garbage[] = [];
  let heldRows = 0;
  let afterId = 0;
  let hasMore = true;
  // Held rows are stepped over, so that a long download does not stop the freeing of everything behind it.
  while (hasMore && rows.length < GARBAGE_ROWS_PER_ROUND_MAX) {
    const limit = GARBAGE_ROWS_PER_ROUND_MAX - rows.length;
    const found = store.listGarbage({ freedMsMax, afterId, limit });
    for (const row of found) {
      afterId = row.id;
      if (pins.holds(row.chunks)) heldRows += 1;
      else rows.push(row);
    }
    hasMore = found.length === limit;
  }
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
  for (let start = 0; start < free.length; start += REMOVE_FIDS_MAX) {
    options.signal?.throwIfAborted();
    await volumes.remove(free.slice(start, start + REMOVE_FIDS_MAX).map((chunk) => chunk.fid));
  }
  if (rows.length > 0) await store.dropGarbage(rows.map((row) => row.id));
  const removedBytes = free.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
  return { removedChunks: free.length, removedBytes, heldRows, referencedChunks, hasMore };
}
