import { type DiskFile, assert } from "@kelp/base";
import type { Checksums } from "../needle/decode.ts";
import { CHECKSUM_BYTES, DATE_BYTES, HEADER_BYTES } from "../needle/layout.ts";
import { type LeafShape, KEY_WIDTH_WHOLE, strideOf } from "./leaf-shape.ts";
import { WIDTH_MIN } from "./packed-number.ts";
import type { OffsetWidth } from "./index-entry.ts";
import type { IndexCounters } from "./index-snapshot.ts";

/**
 * A checkpoint (`N.kix`): an index as it was when the index file had a certain length, sorted, so that opening
 * a volume need not replay the whole index file. It is only ever a copy: the index file and the volume file have
 * it all, and it is not used when anything in it does not fit them. Numbers are little-endian.
 *
 * | offset | size | field                                                                        |
 * |--------|------|------------------------------------------------------------------------------|
 * | 0      | 8    | `KELPIDX1`                                                                   |
 * | 8      | 4    | CRC-32C of the header behind this field                                      |
 * | 12     | 4    | bytes of an offset in the index file: 4 or 5                                 |
 * | 16     | 8    | the superblock's first 8 bytes, as they stand in the volume file             |
 * | 24     | 8    | length of the index file's part that is covered                              |
 * | 32     | 4    | CRC-32C of the last `FINGERPRINT_BYTES` (or fewer) of that part              |
 * | 36     | 4    | number of leaves                                                             |
 * | 40     | 8    | end of the last record covered, in the volume file                           |
 * | 48     | 8    | needle id of that record                                                     |
 * | 56     | 4    | size of its body, signed; -1: a tombstone                                    |
 * | 60     | 4    | CRC-32C of that record's header, checksum and date: see `lastRecordSum`       |
 * | 64     | 8    | live needles                                                                 |
 * | 72     | 8    | bytes of their records                                                       |
 * | 80     | 8    | needles removed or replaced                                                  |
 * | 88     | 8    | bytes of their records and of tombstones                                     |
 * | 96     | 8    | highest needle id                                                            |
 *
 * Then the leaves in the order of ids:
 *
 * | offset | size  | field                                                                       |
 * |--------|-------|-----------------------------------------------------------------------------|
 * | 0      | 4     | CRC-32C of the leaf behind this field                                       |
 * | 4      | 4     | number of rows                                                              |
 * | 8      | 8     | base of the ids                                                             |
 * | 16     | 8     | base of the offsets, in units                                               |
 * | 24     | 1     | width of a key                                                              |
 * | 25     | 1     | width of an offset                                                          |
 * | 26     | 1     | width of a size                                                             |
 * | 27     | 5     | zeros                                                                       |
 * | 32     | n × w | the rows, as `IndexLeaf` says                                               |
 */
export const CHECKPOINT_HEADER_BYTES = 104;
export const LEAF_HEADER_BYTES = 32;
export const FINGERPRINT_BYTES = 4096;
export const CHECKPOINT_SUFFIX = ".kix";

const MAGIC = Buffer.from("KELPIDX1", "latin1");
const CHECKED_FROM = 12;
const LEAF_CHECKED_FROM = 4;

/** The record that ends where the covered part of the volume file ends. */
export interface LastRecord {
  readonly idHigh: number;
  readonly idLow: number;
  readonly endBytes: number;
  /** -1: a tombstone. */
  readonly bodyBytes: number;
}

/**
 * Tells a record from any other, through its date: CRC-32C of its header and of the checksum and date behind its
 * body. `offsetBytes` is where it begins. Throws `DiskError`.
 */
export async function lastRecordSum(
  dataFile: DiskFile,
  record: { readonly offsetBytes: number; readonly bodyBytes: number },
  hashes: Checksums,
): Promise<number> {
  const bytes = Buffer.alloc(HEADER_BYTES + CHECKSUM_BYTES + DATE_BYTES);
  await dataFile.readAt(bytes.subarray(0, HEADER_BYTES), record.offsetBytes);
  const behindBody = record.offsetBytes + HEADER_BYTES + record.bodyBytes;
  await dataFile.readAt(bytes.subarray(HEADER_BYTES), behindBody);
  return hashes.crc32c(bytes);
}

export interface CheckpointHeader {
  readonly offsetWidth: OffsetWidth;
  /** 8 bytes. */
  readonly superblock: Uint8Array;
  readonly indexFileBytes: number;
  readonly fingerprint: number;
  readonly leafCount: number;
  readonly lastRecord: LastRecord;
  readonly lastRecordSum: number;
  readonly counters: IndexCounters;
}

export function encodeCheckpointHeader(header: CheckpointHeader, hashes: Checksums): Buffer {
  assert(header.superblock.length === 8, "a checkpoint names the superblock's first 8 bytes");
  const bytes = Buffer.alloc(CHECKPOINT_HEADER_BYTES);
  const { lastRecord, counters } = header;
  bytes.set(MAGIC, 0);
  bytes.writeUInt32LE(header.offsetWidth, 12);
  bytes.set(header.superblock, 16);
  writeCount(bytes, 24, header.indexFileBytes);
  bytes.writeUInt32LE(header.fingerprint, 32);
  bytes.writeUInt32LE(header.leafCount, 36);
  writeCount(bytes, 40, lastRecord.endBytes);
  bytes.writeUInt32LE(lastRecord.idLow, 48);
  bytes.writeUInt32LE(lastRecord.idHigh, 52);
  bytes.writeInt32LE(lastRecord.bodyBytes, 56);
  bytes.writeUInt32LE(header.lastRecordSum, 60);
  writeCount(bytes, 64, counters.liveCount);
  writeCount(bytes, 72, counters.liveBytes);
  writeCount(bytes, 80, counters.deletedCount);
  writeCount(bytes, 88, counters.deletedBytes);
  bytes.writeBigUInt64LE(counters.needleIdMax, 96);
  bytes.writeUInt32LE(hashes.crc32c(bytes.subarray(CHECKED_FROM)), 8);
  return bytes;
}

/** `undefined` when the bytes are no whole header. */
export function parseCheckpointHeader(
  bytes: Buffer,
  hashes: Checksums,
): CheckpointHeader | undefined {
  if (bytes.length !== CHECKPOINT_HEADER_BYTES) return undefined;
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (hashes.crc32c(bytes.subarray(CHECKED_FROM)) !== bytes.readUInt32LE(8)) return undefined;
  const offsetWidth = bytes.readUInt32LE(12);
  if (offsetWidth !== 4 && offsetWidth !== 5) return undefined;
  return {
    offsetWidth,
    superblock: bytes.subarray(16, 24),
    indexFileBytes: readCount(bytes, 24),
    fingerprint: bytes.readUInt32LE(32),
    leafCount: bytes.readUInt32LE(36),
    lastRecord: {
      endBytes: readCount(bytes, 40),
      idLow: bytes.readUInt32LE(48),
      idHigh: bytes.readUInt32LE(52),
      bodyBytes: bytes.readInt32LE(56),
    },
    lastRecordSum: bytes.readUInt32LE(60),
    counters: {
      liveCount: readCount(bytes, 64),
      liveBytes: readCount(bytes, 72),
      deletedCount: readCount(bytes, 80),
      deletedBytes: readCount(bytes, 88),
      needleIdMax: bytes.readBigUInt64LE(96),
    },
  };
}

/** The header of a leaf whose used rows are `rows`; both are written one after the other. */
export function encodeLeafHeader(
  shape: LeafShape,
  count: number,
  rows: Uint8Array,
  hashes: Checksums,
): Buffer {
  assert(rows.length === count * strideOf(shape), "rows are whole");
  const bytes = Buffer.alloc(LEAF_HEADER_BYTES);
  bytes.writeUInt32LE(count, 4);
  bytes.writeUInt32LE(shape.baseLow, 8);
  bytes.writeUInt32LE(shape.baseHigh, 12);
  writeCount(bytes, 16, shape.unitsBase);
  bytes.writeUInt8(shape.keyWidth, 24);
  bytes.writeUInt8(shape.unitsWidth, 25);
  bytes.writeUInt8(shape.sizeWidth, 26);
  const header = hashes.crc32c(bytes.subarray(LEAF_CHECKED_FROM));
  bytes.writeUInt32LE(hashes.crc32c(rows, header), 0);
  return bytes;
}

export interface LeafHeader {
  readonly shape: LeafShape;
  readonly count: number;
  readonly rowBytes: number;
}

/** `undefined` when no leaf can have such a header. Its checksum also covers the rows: see `leafFits`. */
export function parseLeafHeader(bytes: Buffer, countMax: number): LeafHeader | undefined {
  if (bytes.length < LEAF_HEADER_BYTES) return undefined;
  const count = bytes.readUInt32LE(4);
  const shape: LeafShape = {
    baseLow: bytes.readUInt32LE(8),
    baseHigh: bytes.readUInt32LE(12),
    unitsBase: readCount(bytes, 16),
    keyWidth: bytes.readUInt8(24),
    unitsWidth: bytes.readUInt8(25),
    sizeWidth: bytes.readUInt8(26),
  };
  if (count === 0 || count > countMax) return undefined;
  const isKnownKey = isWidth(shape.keyWidth, 6) || shape.keyWidth === KEY_WIDTH_WHOLE;
  if (!isKnownKey || !isWidth(shape.unitsWidth, 5) || !isWidth(shape.sizeWidth, 4)) {
    return undefined;
  }
  return { shape, count, rowBytes: count * strideOf(shape) };
}

/** Whether the checksum of a leaf (header and rows) is right. */
export function leafFits(leaf: Buffer, hashes: Checksums): boolean {
  return hashes.crc32c(leaf.subarray(LEAF_CHECKED_FROM)) === leaf.readUInt32LE(0);
}

function isWidth(width: number, max: number): boolean {
  return width >= WIDTH_MIN && width <= max;
}

function writeCount(bytes: Buffer, at: number, value: number): void {
  assert(Number.isSafeInteger(value), "a count is a safe integer");
  bytes.writeBigUInt64LE(BigInt(value), at);
}

function readCount(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
