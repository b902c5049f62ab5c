/** Limits of the master door. */

/** Ids in one assignment: they are reserved, not written, so this only keeps a client from using up the numbers. */
export const ASSIGN_COUNT_MAX = 1_000_000;
/** Volumes made by one request. */
export const GROW_COUNT_MAX = 100;
/** Parameters in a body. */
export const PARAMETERS_BYTES_MAX = 64 * 1024;
/** Part of a volume that is garbage when it is vacuumed, unless the request says otherwise. */
export const GARBAGE_THRESHOLD_DEFAULT = 0.3;
