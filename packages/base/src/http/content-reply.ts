import type { ByteStream } from "../body.ts";
import { utf8 } from "../bytes.ts";
import type { RequestHeaders } from "../http1/index.ts";
import { type Validators, allowsRange, decideRead } from "./conditions.ts";
import { headerText } from "./headers.ts";
import { HttpError } from "./http-error.ts";
import { type SatisfiedRange, decideRanges } from "./ranges.ts";
import { type HttpReply, type ReplyHeaders, emptyReply } from "./reply.ts";

/** Content that can be read in any part. */
export interface ReadableContent extends Validators {
  readonly sizeBytes: number;
  /** `[start, end)`; pieces may be lent. */
  read(range: SatisfiedRange): ByteStream;
  /** All of it, where it is at hand. */
  readonly bytes?: Uint8Array;
}

/** Bytes at hand as content. */
export class BytesContent implements ReadableContent {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly modifiedMs: number;

  constructor(bytes: Uint8Array, etag: string, modifiedMs: number) {
    this.bytes = bytes;
    this.etag = etag;
    this.modifiedMs = modifiedMs;
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  async *read({ start, end }: SatisfiedRange): ByteStream {
    yield this.bytes.subarray(start, end);
  }
}

/** Separates the parts of an answer with several ranges; the content cannot be taken for one, since lengths are known. */
const RANGES_BOUNDARY = "kelp-byte-ranges-7c5d1f";

/**
 * The answer to a GET or HEAD: conditions (RFC 9110 §13) and ranges (§14) weighed, `headers` completed. `headers` must
 * say what the content is.
 */
export function contentReply(
  request: { readonly headers: RequestHeaders },
  content: ReadableContent,
  headers: ReplyHeaders,
): HttpReply {
  const decision = decideRead(request.headers, content);
  if (decision.kind === "failed") throw new HttpError(412, `${decision.header} does not hold`);
  if (decision.kind === "not-modified") return emptyReply(304, headers);
  headers["Accept-Ranges"] = "bytes";
  const { sizeBytes } = content;
  const rangeText = headerText(request.headers, "range");
  const chosen =
    rangeText === undefined || !allowsRange(request.headers, content)
      ? undefined
      : decideRanges(rangeText, sizeBytes);
  if (chosen?.kind === "unsatisfiable") {
    throw new HttpError(416, "The range lies outside the content", {
      headers: { "Content-Range": `bytes */${sizeBytes}` },
    });
  }
  if (chosen?.kind !== "ranges") return part(200, headers, content, { start: 0, end: sizeBytes });
  const { ranges } = chosen;
  const [only] = ranges;
  if (only === undefined) return part(200, headers, content, { start: 0, end: sizeBytes });
  if (ranges.length === 1) {
    headers["Content-Range"] = contentRange(only, sizeBytes);
    return part(206, headers, content, only);
  }
  return severalRanges(content, ranges, headers);
}

function severalRanges(
  content: ReadableContent,
  ranges: readonly SatisfiedRange[],
  headers: ReplyHeaders,
): HttpReply {
  const type = headers["Content-Type"] ?? "application/octet-stream";
  const openings = ranges.map((range) =>
    utf8(
      `\r\n--${RANGES_BOUNDARY}\r\nContent-Type: ${type}\r\nContent-Range: ${contentRange(range, content.sizeBytes)}\r\n\r\n`,
    ),
  );
  const closing = utf8(`\r\n--${RANGES_BOUNDARY}--\r\n`);
  const totalBytes = ranges.reduce((sum, { start, end }, at) => {
    return sum + end - start + (openings[at]?.length ?? 0);
  }, closing.length);
  headers["Content-Type"] = `multipart/byteranges; boundary=${RANGES_BOUNDARY}`;
  async function* pieces(): ByteStream {
    for (const [at, range] of ranges.entries()) {
      const opening = openings[at];
      if (opening !== undefined) yield opening;
      yield* content.read(range);
    }
    yield closing;
  }
  return { kind: "stream", status: 206, headers, sizeBytes: totalBytes, stream: pieces() };
}

function part(
  status: number,
  headers: ReplyHeaders,
  content: ReadableContent,
  range: SatisfiedRange,
): HttpReply {
  const sizeBytes = range.end - range.start;
  if (content.bytes === undefined) {
    return { kind: "stream", status, headers, sizeBytes, stream: content.read(range) };
  }
  const isWhole = sizeBytes === content.sizeBytes;
  const body = isWhole ? content.bytes : content.bytes.subarray(range.start, range.end);
  return { kind: "bytes", status, headers, body };
}

function contentRange(range: SatisfiedRange, sizeBytes: number): string {
  return `bytes ${range.start}-${range.end - 1}/${sizeBytes}`;
}
