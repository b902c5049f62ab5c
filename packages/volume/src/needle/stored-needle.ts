import { type Fid, type StoredNeedle, formatFid } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { type Checksums, type DecodedNeedle, decodeNeedle, readHeader } from "./decode.ts";
import { decodeFields } from "./fields.ts";
import { joinIdHalves } from "./id-halves.ts";
import { type FormatVersion, PREFIX_BYTES } from "./layout.ts";

/** A record that was read for an address, not yet compared with it. */
export interface FoundRecord {
  /** `recordBytesOf(bodyBytes, version)` bytes. */
  readonly record: Buffer;
  /** As the index says. */
  readonly bodyBytes: number;
  readonly version: FormatVersion;
  /** Of the data, where the reader knows it. */
  readonly hash64?: bigint | undefined;
}

/**
 * Checks a record against its address: id, size, checksum. `undefined` when the needle has another cookie.
 * Throws `needle-corrupt`.
 */
export function checkRecord(
  fid: Fid,
  found: FoundRecord,
  hashes: Checksums,
): Extract<DecodedNeedle, { kind: "needle" }> | undefined {
  const header = readHeader(found.record, 0);
  if (joinIdHalves(header.idHigh, header.idLow) !== fid.needleId) {
    throw corruptNeedle(fid, "another needle id stands there");
  }
  if (header.bodyBytes !== found.bodyBytes) {
    throw corruptNeedle(fid, `size is ${header.bodyBytes}, expected ${found.bodyBytes}`);
  }
  if (header.cookie !== fid.cookie) return undefined;
  const { record, bodyBytes, version, hash64 } = found;
  const decoded = decodeNeedle(record, bodyBytes, hashes, version, hash64);
  if (decoded.kind === "corrupt") throw corruptNeedle(fid, decoded.reason);
  return decoded;
}

/**
 * The whole needle of a record; `undefined` when it has another cookie. Its data is a view of the record.
 * Throws `needle-corrupt`.
 */
export function openRecord(
  fid: Fid,
  found: FoundRecord,
  hashes: Checksums,
): StoredNeedle | undefined {
  const decoded = checkRecord(fid, found, hashes);
  if (decoded === undefined) return undefined;
  const { data } = decoded;
  const hasFields = found.bodyBytes > 0 && found.version > 1;
  const { checksum = hashes.crc32c(data), dateNs: appendedNs } = decoded;
  if (!hasFields) return { data, checksum, appendedNs };
  const fields = decodeFields(found.record, PREFIX_BYTES + data.length);
  if (typeof fields === "string") throw corruptNeedle(fid, fields);
  return Object.assign(fields, { data, checksum, appendedNs });
}

export function corruptNeedle(fid: Fid, found: string): VolumeError {
  return new VolumeError("needle-corrupt", `Cannot read needle ${formatFid(fid)}: ${found}`);
}
