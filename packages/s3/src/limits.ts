import { assert } from "@kelp/base";

/** Limits of the S3 door. Those that other rooms share stand in `@kelp/wire`. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** A body of known length up to this is read whole and verified in one go; anything larger is streamed. */
export const WHOLE_BODY_BYTES_MAX = 128 * KIB;
/** An XML document sent to us. The largest honest one lists 10,000 parts with checksums. */
export const DOCUMENT_BYTES_MAX = 4 * MIB;
/** XML documents in memory at once; further requests wait their turn. */
export const DOCUMENTS_AT_ONCE_MAX = 16;
/** Elements inside elements in an XML document sent to us; the deepest of the API is 4. */
export const DOCUMENT_DEPTH_MAX = 16;
/** Requests being served at once; further ones are answered `SlowDown`. */
export const REQUESTS_AT_ONCE_MAX = 2048;
/** Open connections, idle ones included; further ones are closed on arrival. */
export const CONNECTIONS_MAX = 16_384;
/** All request headers together. Presigned targets and user metadata fit several times. */
export const HEADER_BYTES_MAX = 32 * KIB;
/** Time from the opening of a connection, or the first byte of a request, to the end of its headers. */
export const HEADERS_TIMEOUT_MS = 30_000;
/** Idle connections are kept this long: SDK pools keep theirs for about a minute. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** An unread request body up to this is read and dropped so that the connection can serve on; a larger one ends it. */
export const DISCARD_BYTES_MAX = 256 * KIB;
/** After a refusal, what a client still sends is dropped for this long before the connection is cut. */
export const LINGER_MS = 2_000;
/** An object of known length up to this is answered in one write. */
export const WHOLE_REPLY_BYTES_MAX = 256 * KIB;
/** S3: buckets in one page of ListBuckets. */
export const LIST_BUCKETS_MAX = 10_000;
/** Length of an upload id that a client may present. */
export const UPLOAD_ID_LENGTH_MAX = 256;

assert(WHOLE_BODY_BYTES_MAX <= DOCUMENT_BYTES_MAX, "a document may be larger than a small body");
assert(DISCARD_BYTES_MAX >= WHOLE_BODY_BYTES_MAX, "any small body can be discarded");
