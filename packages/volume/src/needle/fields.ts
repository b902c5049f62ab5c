import { EMPTY_BYTES, utf8, utf8Text } from "@kelp/base";
import type { NeedleContent, Ttl } from "@kelp/wire";
import {
  FLAG_CHUNK_MANIFEST,
  FLAG_GZIP,
  FLAG_LAST_MODIFIED,
  FLAG_MEDIA_TYPE,
  FLAG_NAME,
  FLAG_PAIRS,
  FLAG_TTL,
} from "./layout.ts";
import { ttlOf, ttlUnitByte } from "./ttl.ts";

/** Flags and optional fields of a needle: the part of its body behind the data. The byte table is in `layout.ts`. */

/** What a needle holds besides its data. */
export type NeedleFields = Omit<NeedleContent, "data" | "checksum">;

const NAME_BYTES_MAX = 255;
const MEDIA_TYPE_BYTES_MAX = 255;
const PAIRS_BYTES_MAX = 0xffff;
const LAST_MODIFIED_SEC_MAX = 2 ** 40 - 1;

/** `undefined` when there is nothing to say; a text says which field cannot be stored. */
export function encodeFields(fields: NeedleFields): Uint8Array | string | undefined {
  const name = fields.name === undefined ? EMPTY_BYTES : utf8(fields.name);
  const mediaType = fields.mediaType === undefined ? EMPTY_BYTES : utf8(fields.mediaType);
  const pairs = encodePairs(fields.pairs);
  const { lastModifiedSec } = fields;
  const ttl = fields.ttl ?? { count: 0, unit: "none" };
  if (mediaType.length > MEDIA_TYPE_BYTES_MAX) return "its media type is too long";
  if (pairs.length > PAIRS_BYTES_MAX) return "its pairs are too long";
  if (lastModifiedSec !== undefined && !isStorableDate(lastModifiedSec)) {
    return "its date of modification cannot be stored";
  }
  if (!isStorableTtl(ttl)) return "its TTL cannot be stored";
  if (lastModifiedSec !== undefined && hasDateAlone(fields)) return dateAlone(lastModifiedSec);

  const parts: Uint8Array[] = [];
  let flags = 0;
  if (fields.isGzip === true) flags |= FLAG_GZIP;
  if (fields.isChunkManifest === true) flags |= FLAG_CHUNK_MANIFEST;
  if (name.length > 0) {
    flags |= FLAG_NAME;
    const kept = name.subarray(0, cutLength(name, NAME_BYTES_MAX));
    parts.push(Uint8Array.of(kept.length), kept);
  }
  if (mediaType.length > 0) {
    flags |= FLAG_MEDIA_TYPE;
    parts.push(Uint8Array.of(mediaType.length), mediaType);
  }
  if (lastModifiedSec !== undefined) {
    flags |= FLAG_LAST_MODIFIED;
    const bytes = Buffer.alloc(5);
    bytes.writeUIntBE(lastModifiedSec, 0, 5);
    parts.push(bytes);
  }
  if (ttl.count > 0 && ttl.unit !== "none") {
    flags |= FLAG_TTL;
    parts.push(Uint8Array.of(ttl.count, ttlUnitByte(ttl)));
  }
  if (pairs.length > 0) {
    flags |= FLAG_PAIRS;
    parts.push(Uint8Array.of(pairs.length >>> 8, pairs.length & 0xff), pairs);
  }
  if (flags === 0) return undefined;
  return Buffer.concat([Uint8Array.of(flags), ...parts]);
}

/** The usual needle: whoever writes it says nothing but when. */
function hasDateAlone({
  name,
  mediaType,
  pairs,
  ttl,
  isGzip,
  isChunkManifest,
}: NeedleFields): boolean {
  return (
    name === undefined &&
    mediaType === undefined &&
    pairs === undefined &&
    ttl === undefined &&
    isGzip !== true &&
    isChunkManifest !== true
  );
}

function dateAlone(lastModifiedSec: number): Uint8Array {
  const bytes = new Uint8Array(6);
  bytes[0] = FLAG_LAST_MODIFIED;
  let rest = lastModifiedSec;
  for (let at = 5; at > 0; at--) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

/**
 * Reads the fields that begin at `at` with the flags. `decodeNeedle` has found them to end where the body ends.
 * A text says what is wrong with them.
 */
export function decodeFields(source: Buffer, at: number): NeedleFields | string {
  const flags = source.readUInt8(at);
  const reader = new Reader(source, at + 1);
  const name = flags & FLAG_NAME ? reader.text(reader.count(1)) : undefined;
  const mediaType = flags & FLAG_MEDIA_TYPE ? reader.text(reader.count(1)) : undefined;
  const lastModifiedSec = flags & FLAG_LAST_MODIFIED ? reader.count(5) : undefined;
  const ttl = flags & FLAG_TTL ? ttlOf(reader.count(1), reader.count(1)) : undefined;
  const pairs = flags & FLAG_PAIRS ? parsePairs(reader.text(reader.count(2))) : undefined;
  if (pairs === "bad") return "its pairs are no JSON object of texts";
  // Most needles have the date alone; each spread copies all that came before it.
  const fields: { -readonly [Field in keyof NeedleFields]: NeedleFields[Field] } = {};
  // SeaweedFS flags and stores them also where there is nothing to say.
  if (name !== undefined && name !== "") fields.name = name;
  if (mediaType !== undefined && mediaType !== "") fields.mediaType = mediaType;
  if (lastModifiedSec !== undefined) fields.lastModifiedSec = lastModifiedSec;
  if (ttl !== undefined) fields.ttl = ttl;
  if (pairs !== undefined) fields.pairs = pairs;
  if (flags & FLAG_GZIP) fields.isGzip = true;
  if (flags & FLAG_CHUNK_MANIFEST) fields.isChunkManifest = true;
  return fields;
}

class Reader {
  readonly #source: Buffer;
  #at: number;

  constructor(source: Buffer, at: number) {
    this.#source = source;
    this.#at = at;
  }

  count(bytes: number): number {
    this.#at += bytes;
    return this.#source.readUIntBE(this.#at - bytes, bytes);
  }

  text(bytes: number): string {
    this.#at += bytes;
    return utf8Text(this.#source.subarray(this.#at - bytes, this.#at));
  }
}

function encodePairs(pairs: NeedleContent["pairs"]): Uint8Array {
  const isEmpty = pairs === undefined || Object.keys(pairs).length === 0;
  return isEmpty ? EMPTY_BYTES : utf8(JSON.stringify(pairs));
}

function parsePairs(text: string): Readonly<Record<string, string>> | "bad" {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return "bad";
    throw error;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "bad";
  const pairs: [string, string][] = [];
  for (const [key, each] of Object.entries(value)) {
    if (typeof each !== "string") return "bad";
    pairs.push([key, each]);
  }
  return Object.fromEntries(pairs);
}

function isStorableDate(seconds: number): boolean {
  return Number.isSafeInteger(seconds) && seconds >= 0 && seconds <= LAST_MODIFIED_SEC_MAX;
}

export function isStorableTtl(ttl: Ttl): boolean {
  return Number.isSafeInteger(ttl.count) && ttl.count >= 0 && ttl.count <= 255;
}

/** At most `limit` bytes, no character cut in two. */
function cutLength(text: Uint8Array, limit: number): number {
  if (text.length <= limit) return text.length;
  let length = limit;
  // Bytes 10xxxxxx go on with a character.
  while (length > 0 && ((text[length] ?? 0) & 0xc0) === 0x80) length--;
  return length;
}
