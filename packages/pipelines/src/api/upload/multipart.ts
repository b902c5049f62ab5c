import { utf8Text } from "@kelp/base";
import { ApiError } from "../errors.ts";

export interface Part {
  readonly name: string;
  readonly fileName: string | undefined;
  /** A view into the request body. */
  readonly content: Uint8Array;
}

/** Parts of one request. */
const PARTS_MAX = 32;
/** Headers of one part. */
const PART_HEADER_BYTES_MAX = 8192;

/**
 * The parts of a `multipart/form-data` body (RFC 7578). The body is whole and its size bounded by the caller; contents
 * are not copied. Throws `ApiError` "invalid-argument".
 */
export function parseMultipart(contentType: string, body: Uint8Array): Part[] {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = Buffer.from(`\r\n--${parseBoundary(contentType)}`);
  // The first delimiter may stand at the very start, where no line break precedes it.
  let position = startsAt(buffer, delimiter) ?? buffer.indexOf(delimiter) + delimiter.length;
  if (position < delimiter.length - 2) throw invalid("no part was found");

  const parts: Part[] = [];
  while (!isClosing(buffer, position)) {
    if (parts.length === PARTS_MAX) throw invalid(`it has more than ${PARTS_MAX} parts`);
    const headerStart = buffer.indexOf("\r\n", position);
    const headerEnd = headerStart < 0 ? -1 : buffer.indexOf("\r\n\r\n", headerStart);
    if (headerEnd < 0) throw invalid("a part has no end of headers");
    if (headerEnd - headerStart > PART_HEADER_BYTES_MAX) throw invalid("a part's headers are long");
    const end = buffer.indexOf(delimiter, headerEnd + 4);
    if (end < 0) throw invalid("the last part has no end");
    const header = utf8Text(buffer.subarray(headerStart, headerEnd));
    parts.push({
      ...parseHeader(header),
      content: buffer.subarray(headerEnd + 4, end),
    });
    position = end + delimiter.length;
  }
  return parts;
}

function startsAt(buffer: Buffer, delimiter: Buffer): number | undefined {
  const first = delimiter.subarray(2);
  return buffer.subarray(0, first.length).equals(first) ? first.length : undefined;
}

function isClosing(buffer: Buffer, position: number): boolean {
  return buffer[position] === 0x2d && buffer[position + 1] === 0x2d;
}

function parseBoundary(contentType: string): string {
  const match =
    /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(
      contentType,
    );
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) throw invalid("its Content-Type is not multipart/form-data");
  return boundary;
}

function parseHeader(header: string): { name: string; fileName: string | undefined } {
  const disposition = /^content-disposition:(.*)$/im.exec(header)?.[1] ?? "";
  const name = parameter(disposition, "name");
  if (name === undefined) throw invalid("a part has no name");
  return { name, fileName: parameter(disposition, "filename") };
}

function parameter(disposition: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, "i").exec(
    disposition,
  );
  return match?.[1]?.replace(/\\(["\\])/g, "$1") ?? match?.[2];
}

function invalid(what: string): ApiError {
  return new ApiError("invalid-argument", `Cannot read the upload: ${what}`);
}
