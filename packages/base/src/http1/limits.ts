import { assert } from "../assert.ts";

/** Limits of the protocol itself. What a door bounds besides (connections, requests, times) it says in `Http1Limits`. */

const KIB = 1024;

/** What stands between method and version: the longest presigned address fits several times. */
export const TARGET_BYTES_MAX = 16 * KIB;
/** The longest registered method has 17. */
export const METHOD_BYTES_MAX = 32;
/** Empty lines before a request. */
export const EMPTY_LINES_MAX = 4;
/** Header lines of one request. */
export const HEADER_LINES_MAX = 256;
/** One chunk: more than any body, and far below what a number holds. */
export const CHUNK_BYTES_MAX = 1024 ** 4 * 16;
/** Size line of a chunk with its extensions, which nobody reads. */
export const CHUNK_LINE_BYTES_MAX = 1 * KIB;
/** Lines behind the last chunk, all together. */
export const TRAILER_BYTES_MAX = 8 * KIB;
/** Pipelined bytes that wait for the answer under way; beyond it the socket is paused. */
export const PIPELINED_BYTES_MAX = 64 * KIB;
/** Body bytes that wait for a reader; beyond it the socket is paused. One piece of a socket may be larger. */
export const UNREAD_PIECES_BYTES_MAX = 64 * KIB;
/** Names of headers that are remembered with their lower-case form, each at most so long. */
export const KNOWN_NAMES_MAX = 1024;
export const KNOWN_NAME_BYTES_MAX = 64;
/** Bodies up to this are written together with their head. */
export const TOGETHER_BYTES_MAX = 64 * KIB;
/** How often connections are looked at for having waited too long. */
export const CONNECTION_CHECK_MS = 1_000;

assert(CHUNK_BYTES_MAX * 16 < Number.MAX_SAFE_INTEGER, "one more digit can be seen to be too much");
assert(METHOD_BYTES_MAX < TARGET_BYTES_MAX, "a request line is mostly its target");
