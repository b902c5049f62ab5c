import { assert } from "@kelp/base";
import { CHUNK_SCRATCH_BYTES, CHUNK_SIZE_BYTES } from "@kelp/wire";
import { bodyBytesOf, recordBytesOf } from "./needle/layout.ts";

/** Limits of this room, and how they relate. */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Offsets are stored in 4 bytes, in units of 8 bytes: 2³² × 8. No record may end beyond. */
export const VOLUME_FILE_BYTES_MAX = 32 * GIB;
/** The same where the index file has offsets of 5 bytes: 2⁴⁰ × 8. */
export const WIDE_VOLUME_FILE_BYTES_MAX = 8192 * GIB;
/** Where a volume counts as full unless its owner says otherwise. */
export const VOLUME_SIZE_BYTES_DEFAULT = 30 * GIB;
/** A full volume still takes needles whose ids were assigned before it was full, up to this much more. */
export const FULL_GRACE_BYTES_DEFAULT = 1 * GIB;
/** Kept free of needles at the end of a file of the largest size, so that 2 million removals still fit. */
export const TOMBSTONE_RESERVE_BYTES = 64 * MIB;
/** Data of one needle. A chunk is far smaller; SeaweedFS allows the same. */
export const NEEDLE_DATA_BYTES_MAX = 256 * MIB;

/** Records written and synced together. Bigger batches only add latency: a disk is saturated long before. */
export const BATCH_BYTES_MAX = 16 * MIB;
export const BATCH_COUNT_MAX = 1024;
/** Removals of one call that are under way at the same time. */
export const REMOVE_COUNT_MAX = 1024;
/** Data up to this size is copied into the batch's one buffer, above it the write takes the caller's memory. */
export const COPY_BYTES_MAX = 64 * KIB;
/** Appends and removals waiting for a batch, per volume. Beyond it callers are refused (`overloaded`). */
export const QUEUE_COUNT_MAX = 65_536;
export const QUEUE_BYTES_MAX = 512 * MIB;
/** Removals that one copy of a journal could not take, kept for its next write. With more it is given up until it is opened anew. */
export const MISSED_REMOVALS_BYTES_MAX = MIB;

/** Volumes that are tried for lending before a gateway gets none, and has its appends made here. */
export const BORROW_ATTEMPTS_MAX = 16;
/** Volumes that a gateway reads by itself: each costs two open files and an index. Of others the owner is asked. */
export const FOLLOWED_VOLUMES_MAX = 1024;
/** Volumes that a borrower gave back last and that are looked through when it dies: its bodies on their way were few and new. */
export const RETURNED_VOLUMES_KEPT_MAX = 8;
/** Needles that a gateway did not find in a volume and its owner did, after which the gateway opens the volume anew. */
export const FOLLOW_MISSES_MAX = 64;

/** Records up to this size are read without leaving the thread: see the measurements in the README. */
export const SYNC_READ_BYTES_MAX = 128 * KIB;
/** Buffer of a walk through a volume file or an index file. */
export const WALK_BUFFER_BYTES = 1 * MIB;
/** Entries of a leaf of the index: one is searched and moved in well below a microsecond, its header costs next to nothing. */
export const LEAF_ENTRIES = 4096;
/** Needles that come late, out of order, find room in a leaf up to here; then it is halved. */
export const LEAF_ENTRIES_MAX = 5120;
/** Room that a leaf grows by: what it does not use is at most a twentieth of a halved leaf. */
export const LEAF_ROOM = 128;
/** Leaves copied for one checkpoint because they change while it is written (15 MB); beyond it the checkpoint is given up. */
export const LEAF_COPIES_MAX = 512;
/** Changes of an index after which its checkpoint is written anew, at least; replaying so many takes some 10 ms. */
export const CHECKPOINT_CHANGES_MIN = 65_536;
/** In a large index the changes must also be this part of it, so that checkpoints cost less than a few times the changes. */
export const CHECKPOINT_PARTS = 4;
/** The same when a volume is closed. */
export const CHECKPOINT_CLOSE_CHANGES_MIN = 16_384;
export const CHECKPOINT_CLOSE_PARTS = 16;
/** A checkpoint is written in pieces of this size, and synced after so many bytes: appends to the same disk wait for little. */
export const CHECKPOINT_WRITE_BYTES = 1 * MIB;
export const CHECKPOINT_SYNC_BYTES = 4 * MIB;
/** Space that a checkpoint leaves on the disk, or is not written. */
export const CHECKPOINT_SPACE_LEFT_BYTES = 64 * MIB;
/** Needles of a batch that is put into file order; and entries looked at before others get the thread (some 1 ms each). */
export const FILE_ORDER_COUNT_MAX = 65_536;
export const FILE_ORDER_PAUSE_COUNT = 65_536;
/** Entries of an index file that are compared before others get the thread. */
export const ENTRIES_PAUSE_COUNT = 4096;
/** Needles named in the report of an index made anew. */
export const DIFFERENCE_EXAMPLES_MAX = 20;
/** Index entries waiting to be written, per volume; beyond it the index file stays behind until the next opening. */
export const INDEX_PENDING_BYTES_MAX = 1 * MIB;

/** Blocks of the rows in which a volume file is dealt out to its shards: large ones first (the format says so). */
export const LARGE_BLOCK_BYTES = 1 * GIB;
export const SMALL_BLOCK_BYTES = 1 * MIB;
/** Each so many bytes of a shard have a checksum of their own. */
export const BITROT_BLOCK_BYTES = 16 * MIB;
export const DATA_SHARDS_DEFAULT = 10;
export const PARITY_SHARDS_DEFAULT = 4;
/** Of each shard that encoding, rebuilding and verifying hold at a time: with 32 shards 16 MiB together. */
export const ERASURE_PIECE_BYTES = 512 * KIB;
/** Of each shard that is encoded before others get the thread (some 0.5 ms with 10 + 4 shards). */
export const ERASURE_SLICE_BYTES = 128 * KIB;
/** Bytes that an erasure or tiering job reads and writes in a second unless told otherwise. */
export const JOB_BYTES_PER_SEC_DEFAULT = 128 * MIB;
/** A read that makes up for missing shards does so by pieces of this size: with 32 shards 32 MiB together. */
export const RECOVERY_BYTES_MAX = 1 * MIB;
/** Such reads under way at the same time, per volume; others wait. */
export const RECOVERY_COUNT_MAX = 4;
/**
 * Needles of a sealed volume known to be corrupt beyond repair, and as many known to have another cookie than was asked for: read
 * again without searching for the cause.
 */
export const KNOWN_NEEDLE_COUNT_MAX = 1024;
/** Entries of a sorted index between two keys in memory: 4 KiB are read to find a needle. */
export const SORTED_INDEX_STEP = 256;
/** Blocks of a volume file that lives elsewhere, and how many of them are kept, per volume: 16 MiB. */
export const REMOTE_BLOCK_BYTES = 256 * KIB;
export const REMOTE_BLOCK_COUNT_MAX = 64;

assert(LARGE_BLOCK_BYTES % SMALL_BLOCK_BYTES === 0, "large blocks are whole small ones");
assert(SMALL_BLOCK_BYTES % ERASURE_PIECE_BYTES === 0, "a small block is whole pieces");
assert(ERASURE_PIECE_BYTES % ERASURE_SLICE_BYTES === 0, "a piece is whole slices");
assert(BITROT_BLOCK_BYTES % ERASURE_PIECE_BYTES === 0, "a checksum ends where a piece ends");

/** Read and written together by a vacuum in a second, unless its caller says otherwise. */
export const VACUUM_BYTES_PER_SEC_DEFAULT = 64 * MIB;
/** Left free by a vacuum on a disk that is nearly full: deletes and bookkeeping go on meanwhile. */
export const VACUUM_SPARE_BYTES = 32 * MIB;
/** Free space is looked at again after so much work, since others write to the disk, too. */
export const VACUUM_RECHECK_BYTES = 64 * MIB;
/** Changes left for the pause of the writer; those of one batch may come on top. */
export const VACUUM_CATCH_UP_BYTES = 4 * MIB;
/** Passes over what changed meanwhile. Each is shorter than the one before unless changes outrun a copy that nothing holds up. */
export const VACUUM_PASSES_MAX = 10;
/** Garbage below this is left where it is by the background job, whatever its share. */
export const VACUUM_GARBAGE_BYTES_MIN = 1 * MIB;
/** A disk with a smaller share of free space is nearly full: any garbage on it is worth a vacuum. */
export const VACUUM_LOW_SPACE_SHARE = 0.05;
/** A volume whose vacuum failed is left alone by the background job for so long. */
export const VACUUM_RETRY_MS = 6 * 60 * 60 * 1000;
/** The same of one whose scrub failed; what is busy with something else is asked sooner. */
export const SCRUB_RETRY_MS = 60 * 60 * 1000;
export const SCRUB_BUSY_RETRY_MS = 60 * 1000;
/** Read by a scrub in a second, unless its caller says otherwise. */
export const SCRUB_BYTES_PER_SEC_DEFAULT = 64 * MIB;
/** At least so much in a background scrub, however long its cycle. */
export const SCRUB_BYTES_PER_SEC_MIN = 4 * MIB;
/** How far a scrub goes between two notes of its position: what a restart makes it read again. */
export const SCRUB_SAVE_BYTES = 256 * MIB;
/** Buffer of a walk along headers: of larger records the rest is not read. */
export const HEADER_WALK_BUFFER_BYTES = 64 * KIB;
/** Damaged things of one folder that are listed; beyond it the log tells. */
export const DAMAGE_COUNT_MAX = 10_000;
/** What a background job may have in hand: sleeps that hold it to its rate are at least so long. */
export const PACE_BURST_MS = 20;
/** A job gives up the thread after so long: what a request that came meanwhile waits for it. */
export const JOB_SLICE_MS = 1;
/**
 * While requests are served a job rests so many times as long as it worked. Under heavy load a slice and its rest take 25 ms, in which
 * even a client alone sends more than a hundred small requests, one of which meets the slice: p99 is that of the others.
 */
export const JOB_REST_FACTOR = { light: 4, heavy: 24 } as const;
/** No rest is longer, so that a disk or a processor that is slow for everybody does not stop a job altogether. */
export const JOB_REST_MS_MAX = 50;
/** Files of a job are synced in pieces of this size: one large sync would hold up those of the appends, some 7 ms for 2 MiB. */
export const JOB_SYNC_BYTES = 2 * MIB;
/** Volumes with a TTL are kept so much longer than their newest needle can be read, or a tenth of the TTL if that is less. */
export const EXPIRY_MARGIN_MS_MAX = 10 * 60 * 1000;
/** 2000-01-01: nothing was stored in this format before, so an earlier date says nothing about when a volume is over. */
export const EXPIRY_DATE_MS_MIN = 946_684_800_000;
/** At the start. Each waits for the disk most of the time. */
export const VOLUMES_OPENED_AT_ONCE = 8;
/** How old the measured free space of a disk may be when a needle is taken. */
export const SPACE_AGE_MS_MAX = 1000;
/** Bytes that offsets of this width can address. */
export function volumeFileBytesMax(offsetWidth: 4 | 5): number {
  return offsetWidth === 4 ? VOLUME_FILE_BYTES_MAX : WIDE_VOLUME_FILE_BYTES_MAX;
}

assert(
  VOLUME_SIZE_BYTES_DEFAULT + FULL_GRACE_BYTES_DEFAULT + TOMBSTONE_RESERVE_BYTES <=
    VOLUME_FILE_BYTES_MAX,
  "a volume takes its grace and removals after it",
);
assert(CHECKPOINT_CLOSE_CHANGES_MIN <= CHECKPOINT_CHANGES_MIN, "closing takes the chance");
assert(CHECKPOINT_CLOSE_PARTS >= CHECKPOINT_PARTS, "closing takes the chance");
assert(LEAF_ENTRIES < LEAF_ENTRIES_MAX, "a full leaf has room for what comes late");
assert(LEAF_ENTRIES % LEAF_ROOM === 0, "a leaf grows in whole steps");
assert(LEAF_ENTRIES_MAX % LEAF_ROOM === 0, "a leaf grows in whole steps");
assert(CHUNK_SIZE_BYTES <= NEEDLE_DATA_BYTES_MAX, "a chunk fits in a needle");
assert(
  recordBytesOf(bodyBytesOf(CHUNK_SIZE_BYTES)) <= CHUNK_SCRATCH_BYTES,
  "the record of a chunk fits in the memory that readers lend",
);
assert(CHUNK_SIZE_BYTES * 2 <= BATCH_BYTES_MAX, "chunks of concurrent writers share a batch");
assert(NEEDLE_DATA_BYTES_MAX < QUEUE_BYTES_MAX, "the largest needle can wait");
assert(REMOVE_COUNT_MAX < QUEUE_COUNT_MAX, "one caller cannot fill the queue");
assert(BATCH_COUNT_MAX * 16 <= INDEX_PENDING_BYTES_MAX, "the entries of a batch can wait");
