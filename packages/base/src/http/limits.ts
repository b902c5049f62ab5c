import { assert } from "../assert.ts";

/** Limits of doors that speak HTTP. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** How often transfers are looked at for having stalled. */
export const STALL_CHECK_MS = 10_000;
/** Looks in a row without `STALL_BYTES_MIN` of progress that end a transfer. */
export const STALL_CHECKS_MAX = 3;
/** Progress that a transfer owes between two looks. */
export const STALL_BYTES_MIN = 4 * KIB;
/** A transfer that holds memory which others wait for has to be through in so many looks; what is slower for a few of them ends. */
export const HELD_CHECKS_MAX = 60;
/** Requests of one door being served at once; further ones are answered 503. */
export const DOOR_REQUESTS_AT_ONCE_MAX = 1024;
/** Open connections of one door, idle ones included; further ones are closed on arrival. */
export const DOOR_CONNECTIONS_MAX = 4096;
/** All header lines of a request together. */
export const DOOR_HEADER_BYTES_MAX = 32 * KIB;
/** Time from the opening of a connection, or the first byte of a request, to the end of its header lines. */
export const DOOR_HEADERS_TIMEOUT_MS = 30_000;
/** Idle connections are kept this long. */
export const DOOR_KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** An unread request body up to this is read and dropped so that the connection can serve on; a larger one ends it. */
export const UNREAD_BYTES_MAX = 256 * KIB;
/** After a refusal, what a client still sends is dropped for this long before the connection is cut. */
export const UNREAD_LINGER_MS = 2_000;
/** Bodies up to this are no heavier than their headers, and taken without asking a budget. */
export const FREE_BODY_BYTES_MAX = 128 * KIB;
/** What a body of unknown length asks a budget for at a time. */
export const BODY_STEP_BYTES = 1 * MIB;
/** Header lines of one part of a form. */
export const FORM_HEADER_BYTES_MAX = 16 * KIB;
/** Parts of one form. */
export const FORM_PARTS_MAX = 64;
/** Form delimiters have at most 70 characters (RFC 2046 §5.1.1). */
export const FORM_BOUNDARY_LENGTH_MAX = 70;
/** Byte ranges of one request; one that asks for more gets the whole. */
export const RANGES_MAX = 32;

assert(FREE_BODY_BYTES_MAX <= UNREAD_BYTES_MAX, "any small body can be dropped");
assert(FREE_BODY_BYTES_MAX <= BODY_STEP_BYTES, "a step covers what was taken unasked");
