import { utf8, utf8Text } from "@kelp/base";
import { type Fid, NO_TTL, type StoredNeedle, type Ttl, formatFid } from "@kelp/wire";
import { BackupError } from "../errors.ts";

/**
 * A loose needle (one that no entry names) as a piece of a backup:
 *
 * | size | field                                                     |
 * |------|-----------------------------------------------------------|
 * | 4    | size of the fields, big endian                            |
 * | n    | fields, JSON: `LooseFields`                               |
 * | rest | data as stored, compressed where the fields say so        |
 */
interface LooseFields {
  readonly name?: string;
  readonly media_type?: string;
  readonly last_modified_sec?: number;
  readonly ttl?: Ttl;
  readonly pairs?: Readonly<Record<string, string>>;
  readonly is_gzip?: true;
  readonly is_chunk_manifest?: true;
  /** Decimal. */
  readonly appended_ns: string;
}

/** What a backup keeps of a needle: all but its checksum, which whoever stores it makes anew. */
export type LooseNeedle = Omit<StoredNeedle, "checksum">;

const LENGTH_BYTES = 4;

/**
 * Which content of an address a piece is: clients may store another under the same, at another time. (In volumes of version 1 and 2 no
 * time is known, but nothing is written to them either.)
 */
export function looseName(
  fid: Fid,
  needle: { readonly sizeBytes: number; readonly appendedNs: bigint },
): string {
  return `${formatFid(fid)} ${needle.sizeBytes} ${needle.appendedNs}`;
}

export function encodeLooseNeedle(needle: LooseNeedle): Uint8Array {
  const { data, name, mediaType, lastModifiedSec, ttl, pairs, appendedNs } = needle;
  const fields: LooseFields = {
    ...(name === undefined ? {} : { name }),
    ...(mediaType === undefined ? {} : { media_type: mediaType }),
    ...(lastModifiedSec === undefined ? {} : { last_modified_sec: lastModifiedSec }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(pairs === undefined ? {} : { pairs }),
    ...(needle.isGzip === true ? { is_gzip: true } : {}),
    ...(needle.isChunkManifest === true ? { is_chunk_manifest: true } : {}),
    appended_ns: `${appendedNs}`,
  };
  const text = utf8(JSON.stringify(fields));
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + text.length + data.length);
  bytes.writeUInt32BE(text.length);
  bytes.set(text, LENGTH_BYTES);
  bytes.set(data, LENGTH_BYTES + text.length);
  return bytes;
}

/** Its data is a view of `bytes`. Throws `BackupError` `backup-damaged`: a target is a place that others may write to. */
export function decodeLooseNeedle(bytes: Uint8Array): LooseNeedle {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length < LENGTH_BYTES ? Infinity : LENGTH_BYTES + view.getUint32(0);
  if (end > bytes.length) throw malformed();
  const fields = parseFields(utf8Text(bytes.subarray(LENGTH_BYTES, end)));
  const { name, media_type: mediaType, last_modified_sec: lastModifiedSec, ttl, pairs } = fields;
  return {
    data: bytes.subarray(end),
    appendedNs: BigInt(fields.appended_ns),
    ...(name === undefined ? {} : { name }),
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(lastModifiedSec === undefined ? {} : { lastModifiedSec }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(pairs === undefined ? {} : { pairs }),
    ...(fields.is_gzip === true ? { isGzip: true } : {}),
    ...(fields.is_chunk_manifest === true ? { isChunkManifest: true } : {}),
  };
}

function parseFields(text: string): LooseFields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed();
    throw error;
  }
  if (!isFields(value)) throw malformed();
  return value;
}

function isFields(value: unknown): value is LooseFields {
  if (!isObject(value)) return false;
  const { name, media_type, last_modified_sec, ttl, pairs, appended_ns } = value;
  return (
    isAbsentOr(name, isText) &&
    isAbsentOr(media_type, isText) &&
    isAbsentOr(last_modified_sec, Number.isSafeInteger) &&
    isAbsentOr(ttl, isTtl) &&
    isAbsentOr(pairs, (each) => isObject(each) && Object.values(each).every(isText)) &&
    isText(appended_ns) &&
    /^\d{1,20}$/.test(appended_ns)
  );
}

const TTL_UNITS: readonly unknown[] = ["none", "minute", "hour", "day", "week", "month", "year"];

function isTtl(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { count, unit } = { ...NO_TTL, ...value };
  return Number.isSafeInteger(count) && TTL_UNITS.includes(unit);
}

function isAbsentOr(value: unknown, isRight: (value: unknown) => boolean): boolean {
  return value === undefined || isRight(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(): BackupError {
  return new BackupError("backup-damaged", "a piece is no needle");
}
