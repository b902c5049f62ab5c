import { ALIGNMENT_BYTES } from "../needle/layout.ts";

/**
 * One entry of an index file (source: the format of SeaweedFS with 4-byte offsets). Numbers are big-endian.
 *
 * | offset | size | field                                                             |
 * |--------|------|-------------------------------------------------------------------|
 * | 0      | 8    | needle id                                                         |
 * | 8      | 4    | offset of the record in the volume file, in units of 8 bytes      |
 * | 12     | 4    | size of the record's body, signed; negative or offset 0: removed  |
 *
 * Later entries win. The offset of a removal is that of its tombstone.
 */
export const INDEX_ENTRY_BYTES = 16;
export const REMOVED_SIZE = -1;

export interface IndexEntry {
  readonly idHigh: number;
  readonly idLow: number;
  readonly offsetBytes: number;
  /** `REMOVED_SIZE` (or another negative number in foreign files) for a removal. */
  readonly bodyBytes: number;
}

export function writeIndexEntry(target: Buffer, at: number, entry: IndexEntry): void {
  target.writeUInt32BE(entry.idHigh, at);
  target.writeUInt32BE(entry.idLow, at + 4);
  target.writeUInt32BE(entry.offsetBytes / ALIGNMENT_BYTES, at + 8);
  target.writeInt32BE(entry.bodyBytes, at + 12);
}

export function readIndexEntry(source: Buffer, at: number): IndexEntry {
  return {
    idHigh: source.readUInt32BE(at),
    idLow: source.readUInt32BE(at + 4),
    offsetBytes: source.readUInt32BE(at + 8) * ALIGNMENT_BYTES,
    bodyBytes: source.readInt32BE(at + 12),
  };
}

export function isRemoval(entry: IndexEntry): boolean {
  return entry.bodyBytes < 0 || entry.offsetBytes === 0;
}
