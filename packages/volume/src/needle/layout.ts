/**
 * A needle's record in a volume file (source: the format of SeaweedFS). Numbers are big-endian.
 *
 * | offset      | size | field                                                                    |
 * |-------------|------|--------------------------------------------------------------------------|
 * | 0           | 4    | cookie                                                                   |
 * | 4           | 8    | needle id                                                                |
 * | 12          | 4    | size of the body, signed                                                 |
 * | 16          | size | body (absent when size is 0)                                             |
 * | 16 + size   | 4    | CRC-32C of the data alone, raw                                           |
 * | 20 + size   | 8    | date of the append, ns since the Unix epoch (version 3 alone)            |
 * | 28 + size   | 1…8  | padding up to a multiple of 8, never 0 bytes: the size field, then zeros |
 *
 * In versions 1 and 2 the padding begins at 20 + size. In version 1 the body is the data and nothing else; since then
 * it is:
 *
 * | size | field                                 | present            |
 * |------|---------------------------------------|--------------------|
 * | 4    | size of the data                      | always             |
 * | n    | data                                  | always             |
 * | 1    | flags                                 | always             |
 * | 1+n  | name                                  | flag 0x02          |
 * | 1+n  | media type                            | flag 0x04          |
 * | 5    | last modified, s since the Unix epoch | flag 0x08          |
 * | 2    | TTL: count, unit                      | flag 0x10          |
 * | 2+n  | pairs (JSON)                          | flag 0x20          |
 *
 * Flags 0x01 (data is gzip) and 0x80 (data is a chunk manifest) say how to read the data and add no field.
 *
 * A record without a body is a tombstone when its id is known, and an empty needle as SeaweedFS writes it
 * when its id is new. Kelp writes an empty needle with a body of data size 0, so that the volume file
 * alone tells the two apart. The checksum of a tombstone that SeaweedFS wrote is that of the removed data.
 */
export const HEADER_BYTES = 16;
export const DATA_SIZE_BYTES = 4;
export const FLAGS_BYTES = 1;
export const CHECKSUM_BYTES = 4;
export const DATE_BYTES = 8;
/** Records begin at multiples of this, and offsets are counted in it. */
export const ALIGNMENT_BYTES = 8;
/** Header and data size: what stands before the data. */
export const PREFIX_BYTES = HEADER_BYTES + DATA_SIZE_BYTES;

/** Of the superblock: how the records of the volume are laid out. Kelp writes version 3. */
export type FormatVersion = 1 | 2 | 3;

/** The data is compressed with gzip. */
export const FLAG_GZIP = 0x01;
export const FLAG_NAME = 0x02;
export const FLAG_MEDIA_TYPE = 0x04;
export const FLAG_LAST_MODIFIED = 0x08;
export const FLAG_TTL = 0x10;
export const FLAG_PAIRS = 0x20;
/** The data is the JSON of a chunk manifest. */
export const FLAG_CHUNK_MANIFEST = 0x80;
/** Flags that add a field to the body. */
export const FLAGS_WITH_FIELD =
  FLAG_NAME | FLAG_MEDIA_TYPE | FLAG_LAST_MODIFIED | FLAG_TTL | FLAG_PAIRS;

/** Size of the body of a needle that Kelp writes. `fieldsBytes`: flags and optional fields. */
export function bodyBytesOf(dataBytes: number, fieldsBytes = FLAGS_BYTES): number {
  return DATA_SIZE_BYTES + dataBytes + fieldsBytes;
}

/** The whole record: always a multiple of `ALIGNMENT_BYTES`. */
export function recordBytesOf(bodyBytes: number, version: FormatVersion = 3): number {
  const dateBytes = version === 3 ? DATE_BYTES : 0;
  const unpadded = HEADER_BYTES + bodyBytes + CHECKSUM_BYTES + dateBytes;
  return unpadded - (unpadded % ALIGNMENT_BYTES) + ALIGNMENT_BYTES;
}

/** 16 + 4 + 8 + 4 of padding. */
export const TOMBSTONE_BYTES = recordBytesOf(0);
/** No record is smaller. */
export const RECORD_BYTES_MIN = TOMBSTONE_BYTES;
