import { type Body, type ByteStream, isByteStream } from "@kelp/base";
import { HttpError } from "@kelp/base/http";
import {
  type BodySummary,
  type Entry,
  type EntryDescription,
  type Filer,
  OBJECT_BYTES_MAX,
} from "@kelp/wire";
import { withoutContentFacts } from "./attributes.ts";
import { GAP_BYTES_MAX } from "./limits.ts";

/** Zeros between the old end and where new content begins, given out piece by piece. */
const ZEROS = new Uint8Array(64 * 1024);

export interface ChangedContent {
  readonly body: ByteStream;
  /** What the entry says from now on: what it said, and what the request adds. */
  readonly describe: (
    added: (summary: BodySummary) => EntryDescription,
    summary: BodySummary,
  ) => EntryDescription;
  /** Bytes of the request's body, once it was read. */
  readonly addedBytes: () => number;
}

/** What a file says of itself after a change in part: what it said, but of its bytes; only tags and modes are added by a piece. */
export function describedInPart(
  described: EntryDescription,
  before: Entry | undefined,
): EntryDescription {
  if (before === undefined) return described;
  const { expiresMs = before.expiresMs } = described;
  const attributes = { ...described.attributes, ...withoutContentFacts(before.attributes) };
  return { attributes, ...(expiresMs !== undefined && { expiresMs }) };
}

/**
 * The content of a file with a body written over it from `offsetBytes` on, or at its end. Content is written anew as
 * one, so that the file has one hash of all its bytes.
 */
export function changedContent(
  filer: Filer,
  change: {
    readonly before: Entry | undefined;
    readonly body: Body;
    readonly offsetBytes: number | undefined;
  },
): ChangedContent {
  const { before, body } = change;
  const sizeBytes = before?.sizeBytes ?? 0;
  const offsetBytes = change.offsetBytes ?? sizeBytes;
  if (offsetBytes - sizeBytes > GAP_BYTES_MAX) {
    throw new HttpError(400, "The offset is too far behind the end of the file");
  }
  let addedBytes = 0;
  async function* old(start: number, end: number): ByteStream {
    if (before === undefined || start >= end) return;
    yield* filer.readFile(before, { start, end }, { pieces: "lent" });
  }
  async function* joined(): ByteStream {
    yield* old(0, Math.min(offsetBytes, sizeBytes));
    for (let at = sizeBytes; at < offsetBytes; at += ZEROS.length) {
      yield ZEROS.subarray(0, Math.min(ZEROS.length, offsetBytes - at));
    }
    for await (const piece of isByteStream(body) ? body : [body]) {
      addedBytes += piece.length;
      if (offsetBytes + addedBytes > OBJECT_BYTES_MAX)
        throw new HttpError(413, "The file is too large");
      yield piece;
    }
    yield* old(offsetBytes + addedBytes, sizeBytes);
  }
  return {
    body: joined(),
    describe: (added, summary) => describedInPart(added(summary), before),
    addedBytes: () => addedBytes,
  };
}
