import { assert } from "@kelp/base";
import { LIST_KEYS_MAX } from "@kelp/wire";

/** Limits of the filer door. */

/** Entries in one listing, unless the client asks for fewer. */
export const LISTING_ENTRIES_MAX = 100_000;
/** Entries that the page for people shows at once. */
export const PAGE_ENTRIES_DEFAULT = 100;
export const PAGE_ENTRIES_MAX = 1000;
/** Pages of the store that one listing looks through for names that fit a pattern. */
export const LISTING_PAGES_MAX = 1000;
/** Length of a pattern of names. */
export const PATTERN_LENGTH_MAX = 256;
/** Entries of a folder that are being deleted, moved or copied at the same time. */
export const FOLDER_WORK_AT_ONCE_MAX = 16;
/** Entries that one request moves or copies one by one, where the store cannot do it in one step. */
export const FOLDER_ENTRIES_MAX = 1_000_000;
/** Times that a change of attributes is tried again when the entry changed meanwhile. */
export const CHANGE_ATTEMPTS_MAX = 5;
/** Zeros that a write behind the end of a file puts before itself: few bytes sent shall not become many written. */
export const GAP_BYTES_MAX = 64 * 1024 * 1024;
/** Small bodies being received whole. */
export const WHOLE_BODY_BYTES_MAX = 128 * 1024;
/** `Seaweed-` headers of one entry, names and values together. */
export const EXTENDED_BYTES_MAX = 8 * 1024;

assert(PAGE_ENTRIES_DEFAULT <= PAGE_ENTRIES_MAX, "a page may have its usual length");
assert(FOLDER_WORK_AT_ONCE_MAX <= LIST_KEYS_MAX, "a page of the store keeps the workers busy");
