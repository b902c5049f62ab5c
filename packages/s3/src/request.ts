import type { RequestHeaders } from "@kelp/base/http1";

/**
 * A request as it stood on the wire. The path is never normalised: what is signed, what is routed and what names the
 * object are the same bytes.
 */
export interface S3Request {
  readonly method: string;
  /** Before the first `?`, percent-encoding untouched, always starting with `/`. */
  readonly rawPath: string;
  /** After the first `?`, untouched; empty when there is none. */
  readonly rawQuery: string;
  /** Decoded, in order of appearance; `+` stays a plus. A name without `=` has the value "". */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Lower-case names; repeated lines joined. */
  readonly headers: RequestHeaders;
  /** Names and values alternating, a pair for each line as received. */
  readonly rawHeaders: readonly string[];
  /** Whether any name has several lines. */
  readonly hasRepeats: boolean;
  /** Socket peer, never from a header. */
  readonly remoteAddress: string;
  readonly isSecure: boolean;
}
