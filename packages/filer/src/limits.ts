import { assert } from "@kelp/base";
import { CHUNK_SIZE_BYTES, LIST_KEYS_MAX, TRANSACTION_OPERATIONS_MAX } from "@kelp/wire";

/** The room's own limits; how they relate is asserted at the end. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bodies up to this size stand in the metadata store. Why this number: `docs/decisions/0003-inline-content.md`. */
export const INLINE_BYTES_MAX = 16 * KIB;
/** A streamed body up to this size is gathered without asking the write budget: most bodies end before it. */
export const SMALL_BODY_BYTES_MAX = 256 * KIB;
/** Chunk appends of one body that are on their way at once. */
export const APPENDS_IN_FLIGHT_MAX = 4;
/** Fresh addresses tried for one chunk when volumes fill up or fail under it. */
export const APPEND_ATTEMPTS_MAX = 3;
/** Chunk buffers of all bodies being written. */
export const WRITE_BUDGET_BYTES = 64 * MIB;
/** Chunks read before the reader of one body asks for them. */
export const READ_AHEAD_CHUNKS = 2;
/** Chunks in the hands of all readers, beyond which none is read ahead. The chunk a reader is waiting for is never refused. */
export const READ_AHEAD_BUDGET_BYTES = 48 * MIB;

/** Operations committed by one transaction. */
export const COMMIT_BATCH_MAX = 256;
/** Operations waiting for a transaction; more are refused with `overloaded`. */
export const COMMIT_QUEUE_MAX = 16_384;

/** Looks at an upload's parts before a gateway gives up completing it because they keep changing. */
export const COMPLETE_ATTEMPTS_MAX = 5;

/** Newest change records kept. */
export const CHANGES_KEPT_MAX = 1_000_000;
/** Old change records are removed once per so many new ones. */
export const CHANGES_PRUNE_EVERY = 4096;
/** Newest completed uploads remembered, so that a repeated completion is recognised. */
export const COMPLETED_UPLOADS_KEPT_MAX = 10_000;
/** Rows that one transaction of background work removes, moves or copies. */
export const RECLAIM_ROWS_MAX = TRANSACTION_OPERATIONS_MAX;
/** Transactions of background work in one collection round, so that garbage is looked at in between. */
export const RECLAIM_TRANSACTIONS_PER_ROUND_MAX = 50;
/** Snapshots of one tree, those among them that only serve copies. */
export const SNAPSHOTS_PER_TREE_MAX = 1000;
/** Changes that a subscriber holds in memory. */
export const FEED_PAGE_CHANGES = 1000;
/** Trees kept decoded in memory. */
export const TREE_CACHE_MAX = 4096;

/** How long replaced content stays readable for readers that began before. */
export const GARBAGE_GRACE_MS = 15 * 60_000;
/** Garbage rows of one collection round. */
export const GARBAGE_ROWS_PER_ROUND_MAX = 1000;
/** Fids in one removal call. */
export const REMOVE_FIDS_MAX = 1000;

assert(INLINE_BYTES_MAX < SMALL_BODY_BYTES_MAX, "inline content is a small body");
assert(SMALL_BODY_BYTES_MAX < CHUNK_SIZE_BYTES, "a small body fits one chunk");
assert(
  WRITE_BUDGET_BYTES >= APPENDS_IN_FLIGHT_MAX * CHUNK_SIZE_BYTES,
  "one body alone can fill its window",
);
assert(CHANGES_KEPT_MAX > CHANGES_PRUNE_EVERY, "the newest position survives pruning");
assert(LIST_KEYS_MAX > 0, "a page holds something");
