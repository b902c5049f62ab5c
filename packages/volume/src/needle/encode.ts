import { assert } from "@kelp/base";
import type { NeedleId } from "@kelp/wire";
import {
  CHECKSUM_BYTES,
  DATE_BYTES,
  FLAGS_BYTES,
  HEADER_BYTES,
  PREFIX_BYTES,
  TOMBSTONE_BYTES,
  bodyBytesOf,
  recordBytesOf,
} from "./layout.ts";

/** A needle about to be written. `checksum` is the CRC-32C of `data`. */
export interface NewNeedle {
  readonly needleId: NeedleId;
  readonly cookie: number;
  readonly data: Uint8Array;
  readonly checksum: number;
  /** Flags and optional fields as `encodeFields` lays them out; no field unless given. */
  readonly fields?: Uint8Array | undefined;
}

/** The body of the record of a needle. */
export function needleBodyBytes(needle: Pick<NewNeedle, "data" | "fields">): number {
  return bodyBytesOf(needle.data.length, needle.fields?.length);
}

/** Writes what stands before the data (`PREFIX_BYTES`) at `at`. */
export function writePrefix(target: Buffer, at: number, needle: NewNeedle): void {
  writeHeader(target, at, needle, needleBodyBytes(needle));
  target.writeUInt32BE(needle.data.length, at + HEADER_BYTES);
}

/** What stands after the data of a record: flags, optional fields, checksum, date and padding. */
export function suffixBytesOf(needle: Pick<NewNeedle, "data" | "fields">): number {
  return recordBytesOf(needleBodyBytes(needle)) - PREFIX_BYTES - needle.data.length;
}

/** Writes the `suffixBytesOf(needle)` bytes after the data at `at`. */
export function writeSuffix(target: Buffer, at: number, needle: NewNeedle, dateNs: bigint): void {
  const { fields } = needle;
  if (fields === undefined) target[at] = 0;
  else target.set(fields, at);
  const checksumAt = at + (fields?.length ?? FLAGS_BYTES);
  target.writeUInt32BE(needle.checksum, checksumAt);
  target.writeBigUInt64BE(dateNs, checksumAt + CHECKSUM_BYTES);
  const padding = checksumAt + CHECKSUM_BYTES + DATE_BYTES;
  writePadding(target, padding, at + suffixBytesOf(needle), needleBodyBytes(needle));
}

/** Writes a whole record at `at`. */
export function writeNeedle(target: Buffer, at: number, needle: NewNeedle, dateNs: bigint): void {
  writePrefix(target, at, needle);
  target.set(needle.data, at + PREFIX_BYTES);
  writeSuffix(target, at + PREFIX_BYTES + needle.data.length, needle, dateNs);
}

/** Writes a record of `TOMBSTONE_BYTES` at `at`: same id and cookie as the needle that it removes. */
export function writeTombstone(
  target: Buffer,
  at: number,
  address: { readonly needleId: NeedleId; readonly cookie: number },
  dateNs: bigint,
): void {
  writeHeader(target, at, address, 0);
  // The checksum of no data.
  target.writeUInt32BE(0, at + HEADER_BYTES);
  target.writeBigUInt64BE(dateNs, at + HEADER_BYTES + CHECKSUM_BYTES);
  const padding = at + HEADER_BYTES + CHECKSUM_BYTES + DATE_BYTES;
  writePadding(target, padding, at + TOMBSTONE_BYTES, 0);
}

function writeHeader(
  target: Buffer,
  at: number,
  address: { readonly needleId: NeedleId; readonly cookie: number },
  bodyBytes: number,
): void {
  target.writeUInt32BE(address.cookie, at);
  target.writeBigUInt64BE(address.needleId, at + 4);
  target.writeInt32BE(bodyBytes, at + 12);
}

/** SeaweedFS leaves its size buffer there; readers ignore it, byte-exact copies do not. */
export function writePadding(target: Buffer, start: number, end: number, bodyBytes: number): void {
  const count = end - start;
  assert(count >= 1, "a record has padding");
  assert(count <= 8, "padding is less than a unit more");
  for (let index = 0; index < count; index++) {
    target[start + index] = index < 4 ? (bodyBytes >>> (24 - 8 * index)) & 0xff : 0;
  }
}
