import { ALIGNMENT_BYTES } from "../needle/layout.ts";

/**
 * One entry of an index file (source: the format of SeaweedFS). Numbers are big-endian.
 *
 * | offset | size | field                                                                          |
 * |--------|------|--------------------------------------------------------------------------------|
 * | 0      | 8    | needle id                                                                      |
 * | 8      | 4    | offset of the record in the volume file, in units of 8 bytes: its lower 32 bits |
 * | 12     | 1    | the highest byte of the offset; only where offsets have 5 bytes                |
 * | 12, 13 | 4    | size of the record's body, signed; negative or offset 0: removed               |
 *
 * Later entries win. The offset of a removal is that of its tombstone. Whether offsets have 4 or 5 bytes is
 * said by the volume's information file, not by the index file.
 */
export type OffsetWidth = 4 | 5;
export const OFFSET_WIDTH_DEFAULT: OffsetWidth = 4;
export const REMOVED_SIZE = -1;

/** With offsets of 4 bytes. */
export const INDEX_ENTRY_BYTES = 16;

export function indexEntryBytes(width: OffsetWidth): number {
  return INDEX_ENTRY_BYTES - OFFSET_WIDTH_DEFAULT + width;
}

export interface IndexEntry {
  readonly idHigh: number;
  readonly idLow: number;
  readonly offsetBytes: number;
  /** `REMOVED_SIZE` (or another negative number in foreign files) for a removal. */
  readonly bodyBytes: number;
}

/** Writes `indexEntryBytes(width)` bytes. */
export function writeIndexEntry(
  target: Buffer,
  at: number,
  entry: IndexEntry,
  width: OffsetWidth = OFFSET_WIDTH_DEFAULT,
): void {
  const units = entry.offsetBytes / ALIGNMENT_BYTES;
  target.writeUInt32BE(entry.idHigh, at);
  target.writeUInt32BE(entry.idLow, at + 4);
  target.writeUInt32BE(width === 4 ? units : units % WORD, at + 8);
  if (width === 5) target.writeUInt8(Math.floor(units / WORD), at + 12);
  target.writeInt32BE(entry.bodyBytes, at + 8 + width);
}

export function readIndexEntry(
  source: Buffer,
  at: number,
  width: OffsetWidth = OFFSET_WIDTH_DEFAULT,
): IndexEntry {
  const units = source.readUInt32BE(at + 8) + (width === 4 ? 0 : source.readUInt8(at + 12) * WORD);
  return {
    idHigh: source.readUInt32BE(at),
    idLow: source.readUInt32BE(at + 4),
    offsetBytes: units * ALIGNMENT_BYTES,
    bodyBytes: source.readInt32BE(at + 8 + width),
  };
}

export function isRemoval(entry: IndexEntry): boolean {
  return entry.bodyBytes < 0 || entry.offsetBytes === 0;
}

/** 2³². */
const WORD = 0x1_0000_0000;
