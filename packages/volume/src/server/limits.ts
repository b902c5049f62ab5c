import { assert } from "@kelp/base";
import { NEEDLE_DATA_BYTES_MAX } from "../limits.ts";

/** Limits of the volume door. */

const MIB = 1024 * 1024;

/** Bodies being received, beyond the small ones; further ones wait, or are refused where their length is unknown. */
export const UPLOAD_BUDGET_BYTES = 512 * MIB;
/** Needles on their way to clients, beyond small ones: what does not fit waits before it is read. */
export const DOWNLOAD_BUDGET_BYTES = 256 * MIB;
/** Compressed needles being expanded at the same time. */
export const EXPANSIONS_AT_ONCE_MAX = 2;
/** Needles up to this are not counted. */
export const FREE_NEEDLE_BYTES_MAX = 128 * 1024;
/** Content of a compressed needle. */
export const INFLATED_BYTES_MAX = NEEDLE_DATA_BYTES_MAX;
/** Chunks that one manifest may name. */
export const MANIFEST_CHUNKS_MAX = 100_000;
/** The JSON of a manifest. */
export const MANIFEST_BYTES_MAX = 16 * MIB;
/** Name and media type in a manifest, as long as those of a needle: they become headers. */
export const MANIFEST_TEXT_LENGTH_MAX = 255;
/** A multipart body is the needle and what stands around it. */
export const FORM_OVERHEAD_BYTES_MAX = 1 * MIB;

assert(
  UPLOAD_BUDGET_BYTES >= NEEDLE_DATA_BYTES_MAX + FORM_OVERHEAD_BYTES_MAX,
  "the largest needle fits in the budget",
);
assert(MANIFEST_BYTES_MAX <= NEEDLE_DATA_BYTES_MAX, "a manifest is a needle");
