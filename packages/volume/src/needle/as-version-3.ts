import { assert } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import { writePadding } from "./encode.ts";
import {
  CHECKSUM_BYTES,
  DATA_SIZE_BYTES,
  DATE_BYTES,
  FLAGS_BYTES,
  type FormatVersion,
  HEADER_BYTES,
  PREFIX_BYTES,
  recordBytesOf,
} from "./layout.ts";

/** The largest size that the header of a record can say. */
const BODY_BYTES_MAX = 0x7fff_ffff;

/**
 * The record of a needle of version 1 or 2 as one of version 3. The body of version 2 is that of version 3; around that of
 * version 1, which is the data alone, come its size and flags without a field. The checksum is kept as it stands, so what was damaged
 * stays so. `dateNs` becomes the date of its append, which the older versions do not have.
 * Throws `needle-too-large` when it fits in no record any more.
 */
export function asVersion3(
  record: Buffer,
  needle: { readonly version: FormatVersion; readonly bodyBytes: number; readonly dateNs: bigint },
): { readonly record: Buffer; readonly bodyBytes: number } {
  const { version, bodyBytes: oldBytes, dateNs } = needle;
  assert(version !== 3, "a record of version 3 is one already");
  assert(record.length === recordBytesOf(oldBytes, version), "a record is whole");
  // An empty needle has no body there; a tombstone is never made anew.
  const isPlain = version === 1 || oldBytes === 0;
  const bodyBytes = isPlain ? DATA_SIZE_BYTES + oldBytes + FLAGS_BYTES : oldBytes;
  if (bodyBytes > BODY_BYTES_MAX) {
    throw new VolumeError(
      "needle-too-large",
      `Cannot make a record of version 3: its body would have ${bodyBytes} bytes, at most ${BODY_BYTES_MAX} are allowed`,
    );
  }
  const made = Buffer.alloc(recordBytesOf(bodyBytes));
  record.copy(made, 0, 0, HEADER_BYTES);
  made.writeInt32BE(bodyBytes, 12);
  if (isPlain) made.writeUInt32BE(oldBytes, HEADER_BYTES);
  record.copy(made, isPlain ? PREFIX_BYTES : HEADER_BYTES, HEADER_BYTES, HEADER_BYTES + oldBytes);
  const checksumAt = HEADER_BYTES + bodyBytes;
  // The checksum of no data is 0; a record without a body may bear another.
  if (oldBytes > 0) {
    record.copy(
      made,
      checksumAt,
      HEADER_BYTES + oldBytes,
      HEADER_BYTES + oldBytes + CHECKSUM_BYTES,
    );
  }
  made.writeBigUInt64BE(dateNs, checksumAt + CHECKSUM_BYTES);
  writePadding(made, checksumAt + CHECKSUM_BYTES + DATE_BYTES, made.length, bodyBytes);
  return { record: made, bodyBytes };
}
