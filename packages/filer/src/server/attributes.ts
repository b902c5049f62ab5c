import type { RequestHeaders } from "@kelp/base/http1";
import {
  type FormField,
  HttpError,
  type ReplyHeaders,
  decodeHeaderText,
  encodeHeaderText,
  headerText,
  isHeaderSafe,
  mediaTypeOfName,
} from "@kelp/base/http";
import { type Attributes, USER_METADATA_BYTES_MAX } from "@kelp/wire";
import { EXTENDED_BYTES_MAX } from "./limits.ts";

/**
 * Attributes of a file's entry. They are spelled as the S3 door spells them, so that a file of a bucket is the same
 * object through either door:
 *
 * | name | value |
 * |---|---|
 * | `content-type`, `cache-control`, … (`STANDARD`) | the header's text |
 * | `x-amz-meta-<name>` | user metadata of S3 |
 * | `seaweed-<name>` | what a client stored with a `Seaweed-` header: tags |
 * | `filer-mode` | permissions in octal |
 * | `x-amz-checksum-<algorithm>`, `x-amz-checksum-type`, `kelp-part-sizes` | what the S3 door knows of the very bytes; never told here |
 *
 * No header of a client reaches another name.
 */
const STANDARD = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
] as const;
const CONTENT_TYPE = "content-type";
const META = "x-amz-meta-";
const TAG = "seaweed-";
const MODE = "filer-mode";
const CHECKSUM = "x-amz-checksum-";
const PART_SIZES = "kelp-part-sizes";

export const MODE_DEFAULT = 0o660;

/** What clients say when they have nothing to say. */
const MEANINGLESS: ReadonlySet<string> = new Set([
  "application/octet-stream",
  "application/x-www-form-urlencoded",
]);

export interface Described {
  readonly headers: RequestHeaders;
  /** The field of a form that the file came in. */
  readonly field: FormField | undefined;
  readonly name: string;
  readonly mode: string | undefined;
}

/** Throws `HttpError` 400 for what cannot be kept. */
export function attributesFromRequest({ headers, field, name, mode }: Described): Attributes {
  const attributes: Record<string, string> = {};
  for (const standard of STANDARD) {
    const value = field === undefined ? headerText(headers, standard) : field.headers.get(standard);
    // How a form's field is to be saved is the form's business, not the file's.
    if (value === undefined || value === "") continue;
    if (field !== undefined && standard === "content-disposition") continue;
    attributes[standard] = safe(standard, value);
  }
  const given = field === undefined ? headerText(headers, CONTENT_TYPE) : field.mediaType;
  const type = given === undefined || MEANINGLESS.has(given.toLowerCase()) ? undefined : given;
  const known = type ?? mediaTypeOfName(name);
  if (known !== undefined) attributes[CONTENT_TYPE] = safe(CONTENT_TYPE, known);
  let metadataBytes = 0;
  for (const header in headers) {
    if (!header.startsWith(META)) continue;
    const value = headerText(headers, header) ?? "";
    metadataBytes += header.length - META.length + value.length;
    attributes[header] = safe(header, value);
  }
  if (metadataBytes > USER_METADATA_BYTES_MAX) throw new HttpError(400, "The metadata is too long");
  Object.assign(attributes, tagsFromHeaders(headers));
  if (mode !== undefined) {
    if (!/^[0-7]{1,4}$/.test(mode)) throw new HttpError(400, "mode must be octal digits");
    attributes[MODE] = mode;
  }
  return attributes;
}

/** What `Seaweed-` headers say. Throws `HttpError` 400. */
export function tagsFromHeaders(headers: RequestHeaders): Attributes {
  const tags: Record<string, string> = {};
  let sizeBytes = 0;
  for (const header in headers) {
    if (!header.startsWith(TAG)) continue;
    const value = headerText(headers, header) ?? "";
    sizeBytes += header.length + value.length;
    tags[header] = safe(header, value);
  }
  if (sizeBytes > EXTENDED_BYTES_MAX) throw new HttpError(400, "The Seaweed- headers are too long");
  return tags;
}

/** What still holds when the content is another: all but what was said of the very bytes. */
export function withoutContentFacts(attributes: Attributes): Attributes {
  const kept = Object.entries(attributes).filter(
    ([name]) => !name.startsWith(CHECKSUM) && name !== PART_SIZES,
  );
  return Object.fromEntries(kept);
}

/** The attributes without some tags, or without all. Names come with or without their prefix. */
export function withoutTags(attributes: Attributes, names: readonly string[]): Attributes {
  const wanted = new Set(
    names
      .map((name) => name.toLowerCase())
      .map((name) => (name.startsWith(TAG) ? name : TAG + name)),
  );
  const kept = Object.entries(attributes).filter(
    ([name]) => !name.startsWith(TAG) || (wanted.size > 0 && !wanted.has(name)),
  );
  return Object.fromEntries(kept);
}

/** Adds what an entry says of its content to an answer. What a header cannot carry is left out. */
export function addAttributeHeaders(
  headers: ReplyHeaders,
  attributes: Attributes,
  name: string,
): void {
  headers["Content-Type"] = mediaTypeOf(attributes, name) || "application/octet-stream";
  for (const [attribute, value] of Object.entries(attributes)) {
    const isTold =
      attribute.startsWith(META) ||
      attribute.startsWith(TAG) ||
      STANDARD.some((standard) => standard === attribute);
    if (isTold && isHeaderSafe(value) && /^[\w-]+$/.test(attribute)) {
      headers[canonicalName(attribute)] = encodeHeaderText(value);
    }
  }
}

export function mediaTypeOf(attributes: Attributes, name: string): string {
  const stored = attributes[CONTENT_TYPE];
  if (stored !== undefined && isHeaderSafe(stored)) return encodeHeaderText(stored);
  return mediaTypeOfName(name) ?? "";
}

export function modeOf(attributes: Attributes): number {
  const mode = attributes[MODE];
  return mode === undefined ? MODE_DEFAULT : Number.parseInt(mode, 8);
}

/** Tags and metadata for the JSON of an entry: values in base64, `null` when there are none. */
export function extendedJson(attributes: Attributes): Readonly<Record<string, string>> | null {
  const extended: Record<string, string> = {};
  let count = 0;
  for (const [name, value] of Object.entries(attributes)) {
    if (!name.startsWith(TAG) && !name.startsWith(META)) continue;
    extended[canonicalName(name)] = Buffer.from(value).toString("base64");
    count++;
  }
  return count === 0 ? null : extended;
}

/** Names of headers arrive in lower case and go out as most programs write them. */
function canonicalName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function safe(name: string, value: string): string {
  const text = decodeHeaderText(value);
  if (!isHeaderSafe(text) || !/^[\w-]+$/.test(name)) {
    throw new HttpError(400, `The header ${name} cannot be kept`);
  }
  return text;
}
