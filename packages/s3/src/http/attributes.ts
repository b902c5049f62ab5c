import { decodeHeaderText, encodeHeaderText, headerText } from "@kelp/base/http";
import type { RequestHeaders } from "@kelp/base/http1";
import { type Attributes, USER_METADATA_BYTES_MAX } from "@kelp/wire";
import { S3Error } from "../errors.ts";

/**
 * Attributes of an object's entry, by name:
 *
 * | name | value |
 * |---|---|
 * | `content-type`, `cache-control`, … (`STANDARD_HEADERS`) | the header's text |
 * | `x-amz-meta-<name>` | user metadata, as text |
 * | `x-amz-checksum-<algorithm>` | base64, `-N` behind a composite one (`checksums.ts`) |
 * | `x-amz-checksum-type` | `COMPOSITE` or `FULL_OBJECT` |
 * | `kelp-part-sizes` | sizes of the parts of a multipart object (`part-sizes.ts`) |
 *
 * No header of a client reaches a name outside the first two rows.
 */
export const STANDARD_HEADERS = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
] as const;

export const META_PREFIX = "x-amz-meta-";
export const DEFAULT_CONTENT_TYPE = "binary/octet-stream";

/** Names as they are written in a response, which some clients still match by case. */
const WIRE_NAMES: ReadonlyMap<string, string> = new Map([
  ["content-type", "Content-Type"],
  ["cache-control", "Cache-Control"],
  ["content-disposition", "Content-Disposition"],
  ["content-encoding", "Content-Encoding"],
  ["content-language", "Content-Language"],
  ["expires", "Expires"],
]);

/** What a client says of an object, as attributes of its entry. Throws `MetadataTooLarge`. */
export function attributesFromHeaders(headers: RequestHeaders): Attributes {
  const attributes: Record<string, string> = {};
  for (const name of STANDARD_HEADERS) {
    const value = headerText(headers, name);
    if (value === undefined) continue;
    const kept = name === "content-encoding" ? withoutAwsChunked(value) : value;
    if (kept !== "") attributes[name] = decodeHeaderText(kept);
  }
  let metadataBytes = 0;
  for (const name in headers) {
    if (!name.startsWith(META_PREFIX)) continue;
    const value = headerText(headers, name) ?? "";
    // Header text is one character a byte, so lengths are bytes.
    metadataBytes += name.length - META_PREFIX.length + value.length;
    attributes[name] = decodeHeaderText(value);
  }
  if (metadataBytes > USER_METADATA_BYTES_MAX) throw new S3Error("MetadataTooLarge");
  return attributes;
}

/** Adds an entry's attributes to a response, apart from checksums. */
export function addAttributeHeaders(headers: Record<string, string>, attributes: Attributes): void {
  headers["Content-Type"] = DEFAULT_CONTENT_TYPE;
  for (const name in attributes) {
    const value = attributes[name];
    if (value === undefined) continue;
    if (name.startsWith(META_PREFIX)) headers[name] = encodeHeaderText(value);
    else {
      const wireName = WIRE_NAMES.get(name);
      if (wireName !== undefined) headers[wireName] = encodeHeaderText(value);
    }
  }
}

/** User metadata alone, without its prefix. */
export function userMetadata(attributes: Attributes): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith(META_PREFIX)) found[name.slice(META_PREFIX.length)] = value;
  }
  return found;
}

/** Only what describes the object to its readers, which is what a copy carries over. */
export function describingAttributes(attributes: Attributes): Attributes {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith(META_PREFIX) || WIRE_NAMES.has(name)) kept[name] = value;
  }
  return kept;
}

/** `aws-chunked` is a transfer framing that clients name among the codings of the content. */
function withoutAwsChunked(value: string): string {
  if (!value.toLowerCase().includes("aws-chunked")) return value;
  return value
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding.toLowerCase() !== "aws-chunked")
    .join(",");
}
