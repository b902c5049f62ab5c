/** Limits of this room. */

/** Volumes of a layout that take needles at the same time: one gathers best; see the README for figures. */
export const WRITABLE_COUNT_DEFAULT = 1;
/** Each volume costs two open files and an index in memory. */
export const VOLUME_COUNT_MAX = 8192;
/** Combinations of collection, placement, TTL and kind of disk: a request may name any. */
export const LAYOUT_COUNT_MAX = 16_384;
/** So many volumes failing in one run mean that the disk is broken, and new volumes on it would only fail as well. */
export const FAILED_VOLUME_COUNT_MAX = 16;
/** Ids of one assignment. */
export const ASSIGN_COUNT_MAX = 1_000_000;
/** Volumes of one call of `grow`. */
export const GROW_COUNT_MAX = 100;
/** After growing in the background failed, it is not tried again for so long. */
export const GROW_RETRY_MS = 5000;
/** Needle ids that a gateway has for itself at a time. */
export const LEASED_IDS = 4096;

/**
 * Ids from here on are not counted from. Clients of the volume door choose ids as they like: one needle with the last of all ids
 * would leave none for anybody. SeaweedFS, too, counts below it.
 */
export const NEEDLE_ID_COUNTED_END = 2n ** 63n;
