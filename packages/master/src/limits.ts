/** Limits of this room. */

/** Volumes of a collection that take needles at the same time: one gathers best; see the README for figures. */
export const WRITABLE_COUNT_DEFAULT = 1;
/** No volume is made while less than this is free: metadata, logs and removals need the rest. */
export const FREE_BYTES_FLOOR_DEFAULT = 256 * 1024 * 1024;
/** Each volume costs two open files and an index in memory. */
export const VOLUME_COUNT_MAX = 8192;
/** So many volumes failing in one run mean that the disk is broken, and new volumes on it would only fail as well. */
export const FAILED_VOLUME_COUNT_MAX = 16;
/** After growing in the background failed, it is not tried again for so long. */
export const GROW_RETRY_MS = 5000;
