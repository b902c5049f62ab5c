import type { ByteStream } from "../body.ts";
import { EMPTY_BYTES, utf8 } from "../bytes.ts";
import { HttpError } from "./http-error.ts";
import { FORM_BOUNDARY_LENGTH_MAX, FORM_HEADER_BYTES_MAX, FORM_PARTS_MAX } from "./limits.ts";

/** What the header lines of one part of a `multipart/form-data` body say. */
export interface FormField {
  readonly name: string | undefined;
  /** As the client has it, without folders. */
  readonly fileName: string | undefined;
  readonly mediaType: string | undefined;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface FormPart extends FormField {
  readonly content: Uint8Array;
}

/**
 * The delimiter of a `multipart/form-data` body; `undefined` when the body is none. Throws `HttpError` 400 when it says
 * that it is one and names no usable delimiter.
 */
export function formBoundary(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^\s*multipart\/form-data\s*(;|$)/i.test(contentType)) {
    return undefined;
  }
  const match = /;\s*boundary=(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? "";
  if (boundary === "" || boundary.length > FORM_BOUNDARY_LENGTH_MAX || !/^[ -~]+$/.test(boundary)) {
    throw new HttpError(400, "The form names no usable boundary");
  }
  return boundary;
}

/** All parts of a form in memory, as views of `bytes`. Throws `HttpError` 400 on a form that is not whole. */
export function parseForm(bytes: Uint8Array, boundary: string): FormPart[] {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delimiter = `\r\n--${boundary}`;
  const parts: FormPart[] = [];
  // The first delimiter may open the body, without the line break that belongs to the others.
  let at =
    body.indexOf(delimiter.slice(2)) === 0 ? delimiter.length - 2 : after(body, delimiter, 0);
  for (;;) {
    const opening = delimiterEnd(body, at);
    if (opening === "last") return parts;
    const headerEnd = opening === undefined ? -1 : findHeaderEnd(body, opening);
    if (opening === undefined || headerEnd === -1) throw broken();
    if (headerEnd - opening > FORM_HEADER_BYTES_MAX) throw broken();
    const contentEnd = body.indexOf(delimiter, headerEnd + 2);
    if (contentEnd === -1) throw broken();
    if (parts.length === FORM_PARTS_MAX) throw new HttpError(400, "The form has too many parts");
    const field = parseField(body.toString("utf8", opening, headerEnd + 2));
    parts.push({ ...field, content: body.subarray(headerEnd + 4, contentEnd) });
    at = contentEnd + delimiter.length;
  }
}

/** A form that is read as it comes: its fields in order, the content of each as a stream. */
export class FormReader implements AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #delimiter: Uint8Array;
  /** Came and was not consumed; a view of the source's last piece, so it dies when the next is asked for. */
  #held: Buffer = Buffer.from("\r\n");
  #partCount = 0;
  #isInContent = true;

  /** `source` may lend its pieces; what `content` yields is lent on. */
  constructor(source: ByteStream, boundary: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#delimiter = utf8(`\r\n--${boundary}`);
  }

  /** The next field; what is left of the last one's content is skipped. `undefined` after the last. Throws `HttpError` 400. */
  async next(): Promise<FormField | undefined> {
    for await (const _ of this.content()) {
      // Not wanted, or what stands before the first delimiter.
    }
    const header = await this.#header();
    if (header === undefined) {
      await this.#skipRest();
      return undefined;
    }
    this.#partCount++;
    if (this.#partCount > FORM_PARTS_MAX) throw new HttpError(400, "The form has too many parts");
    this.#isInContent = true;
    return parseField(header);
  }

  /** Content of the field that `next` gave last. Throws `HttpError` 400 when the body ends before it does. */
  async *content(): ByteStream {
    while (this.#isInContent) {
      const end = this.#held.indexOf(this.#delimiter);
      const found = end !== -1;
      const sureBytes = found ? end : this.#held.length - this.#delimiter.length + 1;
      if (sureBytes > 0) yield this.#held.subarray(0, sureBytes);
      if (found) {
        this.#held = this.#held.subarray(end + this.#delimiter.length);
        this.#isInContent = false;
        return;
      }
      if (sureBytes > 0) this.#held = this.#held.subarray(sureBytes);
      await this.#more();
    }
  }

  /** Lets go of the source, read to its end or not. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return?.();
  }

  /** The header lines after a delimiter; `undefined` after the last delimiter. */
  async #header(): Promise<string | undefined> {
    for (;;) {
      const opening = delimiterEnd(this.#held, 0);
      if (opening === "last") return undefined;
      const end = opening === undefined ? -1 : findHeaderEnd(this.#held, opening);
      if (opening !== undefined && end !== -1) {
        if (end - opening > FORM_HEADER_BYTES_MAX) throw broken();
        const text = this.#held.toString("utf8", opening, end + 2);
        this.#held = this.#held.subarray(end + 4);
        return text;
      }
      if (this.#held.length > FORM_HEADER_BYTES_MAX) throw broken();
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const kept = Buffer.from(this.#held);
    const next = await this.#source.next();
    if (next.done === true) throw broken();
    this.#held = Buffer.concat([kept, next.value]);
  }

  async #skipRest(): Promise<void> {
    this.#held = Buffer.from(EMPTY_BYTES);
    while ((await this.#source.next()).done !== true) {
      // What stands behind the last delimiter means nothing.
    }
  }
}

/** Where the line of a delimiter ends; `last` for the one that ends the form; `undefined` when that is not to be seen yet. */
function delimiterEnd(body: Buffer, at: number): number | "last" | undefined {
  if (body.length < at + 2) return undefined;
  if (body[at] === 0x2d && body[at + 1] === 0x2d) return "last";
  let end = at;
  while (body[end] === 0x20 || body[end] === 0x09) end++;
  if (body.length < end + 2) return undefined;
  if (body[end] !== 0x0d || body[end + 1] !== 0x0a) throw broken();
  return end + 2;
}

/** Where the line break before the empty line is, seen from the first header line; a part may have no header lines. */
function findHeaderEnd(body: Buffer, opening: number): number {
  if (body[opening] === 0x0d && body[opening + 1] === 0x0a) return opening - 2;
  return body.indexOf("\r\n\r\n", opening);
}

function after(body: Buffer, delimiter: string, from: number): number {
  const at = body.indexOf(delimiter, from);
  if (at === -1) throw broken();
  return at + delimiter.length;
}

function parseField(header: string): FormField {
  const headers = new Map<string, string>();
  for (const line of header.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0)
      headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const disposition = headers.get("content-disposition") ?? "";
  return {
    name: parameter(disposition, NAME),
    fileName: withoutFolders(extendedFileName(disposition) ?? parameter(disposition, FILE_NAME)),
    mediaType: headers.get("content-type"),
    headers,
  };
}

const NAME = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/i;
const FILE_NAME = /;\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/i;

function parameter(header: string, pattern: RegExp): string | undefined {
  const match = pattern.exec(header);
  if (match === null) return undefined;
  const value = match[1] ?? match[2] ?? "";
  if (!value.includes("\\") && !value.includes("%")) return value;
  // Browsers escape quotes and line breaks by percent, older clients quotes by a backslash.
  return value
    .replace(/\\(["\\])/g, "$1")
    .replace(/%(22|0D|0A)/gi, (code) => decodeURIComponent(code));
}

/** `filename*=UTF-8''…` (RFC 8187), which wins over the plain one. */
function extendedFileName(header: string): string | undefined {
  if (!header.includes("*")) return undefined;
  const match = /;\s*filename\*=utf-8'[^']*'([^\s;]+)/i.exec(header);
  if (match?.[1] === undefined) return undefined;
  try {
    return decodeURIComponent(match[1]);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function withoutFolders(name: string | undefined): string | undefined {
  const last = name?.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  return last === "" ? undefined : last;
}

function broken(): HttpError {
  return new HttpError(400, "The form is not whole");
}
