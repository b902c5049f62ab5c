import { assert } from "@kelp/base";

/** Limits that several rooms share. A room's own limits stand in the room. */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const TIB = 1024 * GIB;

/** Content of one chunk: a body is cut into needles of this size, so memory per transfer is a few of these. */
export const CHUNK_SIZE_BYTES = 2 * MIB;
/** Memory in which any chunk can be read: the chunk, and room for what its record adds. Whole pages. */
export const CHUNK_SCRATCH_BYTES = CHUNK_SIZE_BYTES + 4 * KIB;
/** S3: one PUT, one part. */
export const OBJECT_PUT_BYTES_MAX = 5 * GIB;
/** S3: one object. */
export const OBJECT_BYTES_MAX = 5 * TIB;
/** S3: every part but the last of a multipart upload. */
export const PART_BYTES_MIN = 5 * MIB;
export const PART_NUMBER_MAX = 10_000;
/** S3: keys in one page of a listing. */
export const LIST_KEYS_MAX = 1000;
/** S3: keys in one DeleteObjects. */
export const DELETE_KEYS_MAX = 1000;
/** S3: all `x-amz-meta-` names and values together. */
export const USER_METADATA_BYTES_MAX = 2 * KIB;
/** One metadata transaction, so that every store (etcd is the smallest) can take it. */
export const TRANSACTION_OPERATIONS_MAX = 100;
export const TRANSACTION_BYTES_MAX = 512 * KIB;

assert(PART_BYTES_MIN >= CHUNK_SIZE_BYTES, "a part holds at least one whole chunk");
assert(LIST_KEYS_MAX >= DELETE_KEYS_MAX, "a page can be deleted in one request");
