/**
 * One byte before each value says what follows. Numbers are little-endian.
 *
 * | Tag | What follows |
 * |---|---|
 * | undefined, null, false, true | nothing |
 * | int32 | 4 bytes |
 * | number | 8 bytes, IEEE 754 |
 * | int64 | 8 bytes: a bigint |
 * | bigint | a text: one beyond 64 bits, in decimal |
 * | short text | length (1 byte), Latin-1 |
 * | text | length in bytes (4), UTF-8 |
 * | wide text | length in bytes (4), UTF-16: what is no well-formed text |
 * | bytes | length (4), the bytes |
 * | list | count (4), the values |
 * | map | count (4), keys and values by turns |
 * | record | number of its shape (2), the values of its keys |
 * | new record | number of keys (2), the keys as texts, then the values: gives its shape the next number |
 * | odd record | number of keys (2), the keys as texts, then the values: its shape gets no number |
 */
export const TAG = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  int32: 4,
  number: 5,
  int64: 6,
  bigint: 7,
  shortText: 8,
  text: 9,
  wideText: 10,
  bytes: 11,
  list: 12,
  map: 13,
  record: 14,
  newRecord: 15,
  oddRecord: 16,
} as const;

/** Shapes that a connection remembers in one direction; records of further ones carry their keys. */
export const SHAPES_MAX = 512;
/** A record with more keys is taken for a table of somebody's words, and its shape is not remembered. */
export const SHAPE_KEYS_MAX = 32;
/** Values in values; data that is deeper goes round in circles. */
export const DEPTH_MAX = 64;
export const SHORT_TEXT_MAX = 255;
