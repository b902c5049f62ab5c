import { EMPTY_BYTES, type Hashes } from "@kelp/base";
import {
  CHECKSUM_BYTES,
  DATA_SIZE_BYTES,
  FLAGS_BYTES,
  FLAGS_WITH_FIELD,
  FLAG_LAST_MODIFIED,
  FLAG_MEDIA_TYPE,
  FLAG_NAME,
  FLAG_PAIRS,
  FLAG_TTL,
  type FormatVersion,
  HEADER_BYTES,
  PREFIX_BYTES,
  recordBytesOf,
} from "./layout.ts";
import { ttlMs } from "./ttl.ts";

export interface NeedleHeader {
  readonly cookie: number;
  readonly idHigh: number;
  readonly idLow: number;
  /** Negative only in a damaged file. */
  readonly bodyBytes: number;
}

/** The first `HEADER_BYTES` bytes at `at`; nothing is checked. */
export function readHeader(source: Buffer, at: number): NeedleHeader {
  return {
    cookie: source.readUInt32BE(at),
    idHigh: source.readUInt32BE(at + 4),
    idLow: source.readUInt32BE(at + 8),
    bodyBytes: source.readInt32BE(at + 12),
  };
}

/** What a record holds, or why it cannot be trusted. `data` is a view of the record's memory. */
export type DecodedNeedle =
  | {
      readonly kind: "needle";
      readonly data: Uint8Array;
      readonly flags: number;
      readonly dateNs: bigint;
      /** CRC-32C of the data, where that is what it was checked by. */
      readonly checksum: number | undefined;
      /** How long after its date the needle can be read; `undefined` is forever. */
      readonly ttlMs: number | undefined;
    }
  | { readonly kind: "corrupt"; readonly reason: string };

export type Checksums = Pick<Hashes, "crc32c" | "xxh3">;

/**
 * Checks and takes apart a whole record whose header says `bodyBytes`. `record.length` is `recordBytesOf(bodyBytes, version)`.
 * The data is checked against `hash64` where its reader knows it, else against the checksum in the record.
 */
// oxlint-disable-next-line max-params -- on the hottest path; an object a read would be the larger part of its cost
export function decodeNeedle(
  record: Buffer,
  bodyBytes: number,
  hashes: Checksums,
  version: FormatVersion = 3,
  hash64?: bigint,
): DecodedNeedle {
  if (record.length !== recordBytesOf(bodyBytes, version)) {
    return corrupt("record has another size");
  }
  if (bodyBytes === 0) return decodeBodiless(record, version);
  if (version === 1) return decodePlain(record, bodyBytes, hashes);
  const shape = readShape(record, bodyBytes);
  if (shape.kind === "corrupt") return shape;
  const data =
    shape.dataBytes === 0
      ? EMPTY_BYTES
      : record.subarray(PREFIX_BYTES, PREFIX_BYTES + shape.dataBytes);
  const checksum = hash64 === undefined ? hashes.crc32c(data) : undefined;
  const reason =
    checksum === undefined
      ? hashDamage(hash64, hashes.xxh3(data))
      : checksumDamage(record.readUInt32BE(HEADER_BYTES + bodyBytes), checksum);
  if (reason !== undefined) return corrupt(reason);
  const dateNs = dateOf(record, bodyBytes, version);
  return { kind: "needle", data, flags: shape.flags, dateNs, checksum, ttlMs: shape.ttlMs };
}

function checksumDamage(stored: number, found: number): string | undefined {
  if (checksumFits(stored, found)) return undefined;
  return `checksum is ${hex32(found)}, expected ${hex32(stored)}`;
}

function hashDamage(wanted: bigint | undefined, found: bigint): string | undefined {
  if (wanted === found) return undefined;
  return `hash is ${found.toString(16)}, expected ${wanted?.toString(16)}`;
}

/** SeaweedFS leaves the checksum of the removed data in a tombstone, so it says nothing about the record. */
function decodeBodiless(record: Buffer, version: FormatVersion): DecodedNeedle {
  const dateNs = dateOf(record, 0, version);
  return {
    kind: "needle",
    data: EMPTY_BYTES,
    flags: 0,
    dateNs,
    checksum: undefined,
    ttlMs: undefined,
  };
}

/** Of version 1: the body is the data. */
function decodePlain(record: Buffer, bodyBytes: number, hashes: Checksums): DecodedNeedle {
  const data = record.subarray(HEADER_BYTES, HEADER_BYTES + bodyBytes);
  const stored = record.readUInt32BE(HEADER_BYTES + bodyBytes);
  const found = hashes.crc32c(data);
  if (!checksumFits(stored, found)) {
    return corrupt(`checksum is ${hex32(found)}, expected ${hex32(stored)}`);
  }
  return { kind: "needle", data, flags: 0, dateNs: 0n, checksum: found, ttlMs: undefined };
}

function dateOf(record: Buffer, bodyBytes: number, version: FormatVersion): bigint {
  return version === 3 ? record.readBigUInt64BE(HEADER_BYTES + bodyBytes + CHECKSUM_BYTES) : 0n;
}

/** Volumes written before SeaweedFS 3.09 hold a rotated and shifted form; both are accepted. */
export function checksumFits(stored: number, found: number): boolean {
  if (stored === found) return true;
  const rotated = ((found >>> 15) | (found << 17)) >>> 0;
  return stored === (rotated + 0xa282ead8) >>> 0;
}

export function hex32(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

type Shape =
  | {
      readonly kind: "shape";
      readonly dataBytes: number;
      readonly flags: number;
      readonly ttlMs: number | undefined;
    }
  | { readonly kind: "corrupt"; readonly reason: string };

function readShape(record: Buffer, bodyBytes: number): Shape {
  if (bodyBytes < DATA_SIZE_BYTES + FLAGS_BYTES) return corrupt("body is too small for its fields");
  const dataBytes = record.readUInt32BE(HEADER_BYTES);
  const fieldsBytes = bodyBytes - DATA_SIZE_BYTES - dataBytes;
  if (fieldsBytes < FLAGS_BYTES) return corrupt("data is larger than the body");
  const fields = PREFIX_BYTES + dataBytes;
  return readFields(record, { dataBytes, at: fields, end: fields + fieldsBytes });
}

/** Walks over the flags and the optional fields, which must end where the body ends. */
function readFields(
  record: Buffer,
  region: { readonly dataBytes: number; readonly at: number; readonly end: number },
): Shape {
  const { dataBytes, end } = region;
  const flags = record.readUInt8(region.at);
  let at = region.at + FLAGS_BYTES;
  let lifetimeMs: number | undefined;
  if ((flags & FLAGS_WITH_FIELD) !== 0) {
    // A length byte beyond the body lies inside the record still, or reads as 0: the sum decides below.
    if (flags & FLAG_NAME) at += 1 + (record[at] ?? 0);
    if (flags & FLAG_MEDIA_TYPE) at += 1 + (record[at] ?? 0);
    if (flags & FLAG_LAST_MODIFIED) at += 5;
    if (flags & FLAG_TTL) {
      lifetimeMs = ttlMs(record[at] ?? 0, record[at + 1] ?? 0);
      at += 2;
    }
    if (flags & FLAG_PAIRS) at += 2 + (((record[at] ?? 0) << 8) | (record[at + 1] ?? 0));
  }
  if (at !== end) return corrupt("optional fields do not fill the body");
  return { kind: "shape", dataBytes, flags, ttlMs: lifetimeMs };
}

function corrupt(reason: string): { readonly kind: "corrupt"; readonly reason: string } {
  return { kind: "corrupt", reason };
}
