import { CR, LF } from "./characters.ts";
import { Http1Error } from "./http1-error.ts";
import { TARGET_BYTES_MAX } from "./limits.ts";

/** How far a head was looked at. `lineStart`: where the line begins that is not complete yet. */
export interface HeadProgress {
  lineStart: number;
}

/** Method, target and version with what separates them. */
const REQUEST_LINE_BYTES_MAX = TARGET_BYTES_MAX + 64;

/**
 * Looks for the empty line that ends a head beginning at 0 and returns the offset behind it, or -1 when it has not come yet. Goes on where
 * `progress` stands. Throws `Http1Error` as soon as a line ends without CR, or what is there is larger than a head may be: what
 * it throws depends on the bytes, and not on the pieces in which they came.
 */
export function findHeadEnd(bytes: Uint8Array, progress: HeadProgress, bytesMax: number): number {
  for (;;) {
    const { lineStart } = progress;
    const limit = lineStart === 0 ? Math.min(REQUEST_LINE_BYTES_MAX, bytesMax) : bytesMax;
    const lf = bytes.indexOf(LF, lineStart);
    if (lf >= limit || (lf === -1 && bytes.length >= limit)) throw tooLarge(lineStart);
    if (lf === -1) return -1;
    if (lf === 0 || bytes[lf - 1] !== CR) {
      throw new Http1Error(400, "A line of the head ends without CR");
    }
    progress.lineStart = lf + 1;
    if (lf - 1 === lineStart) return lf + 1;
  }
}

function tooLarge(lineStart: number): Http1Error {
  return lineStart === 0
    ? new Http1Error(414, "The target of the request is too long")
    : new Http1Error(431, "The header lines are too large");
}
