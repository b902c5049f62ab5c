import { SEAL_OVERHEAD_BYTES, assert } from "@kelp/base";
import {
  CHUNK_SCRATCH_BYTES,
  CHUNK_SIZE_BYTES,
  LIST_KEYS_MAX,
  OBJECT_BYTES_MAX,
  TRANSACTION_OPERATIONS_MAX,
} from "@kelp/wire";

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
/**
 * While others wait for a buffer, a body has to be done with its own in this time: what fills a chunk at 20 MiB/s keeps it, what comes slower
 * cuts its chunk where it is.
 */
export const BUFFER_LENT_MS = 100;
/** Chunks read before the reader of one body asks for them. */
export const READ_AHEAD_CHUNKS = 2;
/** Chunks in the hands of all readers, beyond which none is read ahead. The chunk a reader is waiting for is never refused. */
export const READ_AHEAD_BUDGET_BYTES = 48 * MIB;

/** Buffers that are kept however long nobody needs them: one for each direction, for large bodies that come one at a time. */
export const IDLE_BUFFERS_KEPT_BYTES = CHUNK_SIZE_BYTES + CHUNK_SCRATCH_BYTES;

/** Chunks of one list in the metadata store; longer lists are stored as manifests. 2 GiB of content. */
export const CHUNK_LIST_RECORDS_MAX = 1000;
/** Appends to one file that wait for each other; further ones are refused. */
export const APPENDS_WAITING_MAX = 64;
/** Times that an append looks at its entry again, when it has become another before the commit. */
export const APPEND_COMMITS_MAX = 16;
/** So many chunks of a size at the end of a file are joined to one: a file that grows in small pieces is read in large ones. */
export const JOINED_CHUNKS_MIN = 64;
/** The same for those that fill a whole chunk. */
export const JOINED_WHOLE_MIN = 8;
/** Chunks up to this are of the smallest size; those of each next size are `JOINED_CHUNKS_MIN` times as large. */
export const SMALLEST_CHUNK_BYTES_MAX = 2 * 1024;
/** Chunks that one manifest lists. With `CHUNK_LIST_RECORDS_MAX` manifests: 20 TB of content. */
export const MANIFEST_RECORDS_MAX = 10_000;
/** Manifests that list manifests: two levels where parts with manifests are joined, one to spare. */
export const MANIFEST_DEPTH_MAX = 3;
/** Manifests of garbage read in one collection round: each may list `MANIFEST_RECORDS_MAX` chunks. */
export const MANIFESTS_FREED_PER_ROUND_MAX = 4;
/** How often a completion is tried again when parts are replaced under it. */
export const COMPLETE_ATTEMPTS_MAX = 3;

/** Operations committed by one transaction. */
export const COMMIT_BATCH_MAX = 256;
/** Operations waiting for a transaction; more are refused with `overloaded`. */
export const COMMIT_QUEUE_MAX = 16_384;

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
/** Entries kept in memory without their content: some 8,000. Much more, and the heap grows past what a server is to take. */
export const HOT_HEADS_BYTES_MAX = 4 * MIB;
/** Content of such entries. */
export const HOT_CONTENTS_BYTES_MAX = 6 * MIB;
/** Trees kept decoded in memory. */
export const TREE_CACHE_MAX = 4096;

/** How long replaced content stays readable for readers that began before. */
export const GARBAGE_GRACE_MS = 15 * 60_000;
/** How long a needle must have been known to nobody before it is removed as what a crash left. */
export const ORPHAN_GRACE_MS = 60 * 60_000;
/** Chunks that entries name and whose references are lost, as many as a check keeps in mind; with more it removes no orphans. */
export const UNREFERENCED_CHUNKS_KEPT_MAX = 100_000;
/** Such needles remembered from one sweep to the next; the others wait for later sweeps. */
export const ORPHAN_CANDIDATES_MAX = 100_000;
/**
 * Needles that no reference names, gathered before garbage is read through for them: 17 MB. Reading ten million chunks of garbage
 * takes seconds, and as many times as this number goes into theirs.
 */
export const UNKNOWN_NEEDLES_MAX = 512 * 1024;
/** Garbage rows of one collection round. */
export const GARBAGE_ROWS_PER_ROUND_MAX = 1000;
/** How long the garbage of a volume that refused a removal is stepped over. */
export const REFUSAL_REST_MS = 5 * 60_000;
/** Fids in one removal call. */
export const REMOVE_FIDS_MAX = 1000;

/** Values sealed with one value key: half of the 2³² random nonces that NIST SP 800-38D allows a key. */
export const VALUE_KEY_SEALS_MAX = 2 ** 31;
/** Value keys kept to open values with: each start of the server brings one. */
export const VALUE_KEYS_CACHED_MAX = 256;

/** A database is backed up in blocks of this size, those that changed: whole pages of SQLite. */
export const BLOCK_BYTES = 64 * KIB;
/** Content of one pack of a backup, apart from its last blob. */
export const PACK_BYTES_MAX = 64 * MIB;
/** Blobs of one pack, so that its index stays small. */
export const PACK_BLOBS_MAX = 50_000;
/** Indexes of packs that are read at once. */
export const PACK_INDEX_READS_MAX = 16;
/** Chunks of a backup that are read at once. */
export const BACKUP_READS_IN_FLIGHT_MAX = 8;
/** Chunks of a restore that are stored at once: they share syncs. */
export const RESTORE_APPENDS_IN_FLIGHT_MAX = 32;
/** What lived in a volume that is restored as one of 32 GiB at most: the rest is for what came while the backup ran. */
export const NARROW_VOLUME_LIVE_BYTES_MAX = 30 * 1024 ** 3;
/** Rows that backup, restore and verification take at a time. */
export const BACKUP_ROWS_AT_ONCE = 1000;
/** Damaged chunks that a manifest names; more are counted. */
export const DAMAGED_LISTED_MAX = 1000;
/** A lock at a target of backups that was not renewed for so long is left over; far above what clocks of machines differ by. */
export const TARGET_LOCK_STALE_MS = 10 * 60_000;
/** How often it is renewed. */
export const TARGET_LOCK_RENEW_MS = 60_000;
/** Backups that hold the collector at once. */
export const HOLDS_MAX = 8;

assert(INLINE_BYTES_MAX < SMALL_BODY_BYTES_MAX, "inline content is a small body");
assert(SMALL_BODY_BYTES_MAX < CHUNK_SIZE_BYTES, "a small body fits one chunk");
assert(
  WRITE_BUDGET_BYTES >= APPENDS_IN_FLIGHT_MAX * CHUNK_SIZE_BYTES,
  "one body alone can fill its window",
);
assert(GARBAGE_GRACE_MS <= ORPHAN_GRACE_MS, "what is garbage is not taken for left behind");
assert(CHANGES_KEPT_MAX > CHANGES_PRUNE_EVERY, "the newest position survives pruning");
assert(
  CHUNK_LIST_RECORDS_MAX * MANIFEST_RECORDS_MAX * CHUNK_SIZE_BYTES > OBJECT_BYTES_MAX,
  "one level of manifests holds the largest object",
);
assert(TARGET_LOCK_RENEW_MS * 5 < TARGET_LOCK_STALE_MS, "a few renewals may fail");
assert(LIST_KEYS_MAX > 0, "a page holds something");
assert(
  CHUNK_SIZE_BYTES + SEAL_OVERHEAD_BYTES < CHUNK_SCRATCH_BYTES,
  "memory for a chunk holds a sealed one",
);
