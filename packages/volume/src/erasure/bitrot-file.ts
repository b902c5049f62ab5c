import { must } from "@kelp/base";
import type { Checksums } from "../needle/decode.ts";
import { type ProtoField, bytesField, numberField, readFields } from "./protobuf.ts";

/**
 * Checksums of the blocks of all shards, in a file of their own (source: the format of SeaweedFS). The head is big-endian:
 *
 * | offset | size | field                             |
 * |--------|------|-----------------------------------|
 * | 0      | 4    | "ECSU"                            |
 * | 4      | 2    | version: 1                        |
 * | 6      | 4    | length of the payload             |
 * | 10     | 4    | CRC-32C of the payload            |
 * | 14     | n    | payload: a protocol buffers message |
 *
 * The message: 1 algorithm (1 is CRC-32C), 2 block size, 3 generation, 4 counts of shards {1 data, 2 parity}, 5 for each
 * shard {1 number, 2 bytes covered, 3 checksums, 4 bytes little-endian each}, 6 id of the encoding. Kelp adds, where others
 * skip them, 1000 CRC-32C and 1001 length of the sorted index, which nothing else guards.
 */
export interface BitrotProtection {
  readonly blockBytes: number;
  readonly generation: number;
  readonly dataShards: number;
  readonly parityShards: number;
  readonly shards: readonly ShardChecksums[];
  /** Tells one encoding of a volume from another: 16 random bytes. */
  readonly encodingId: Uint8Array;
  /** Only in files that Kelp wrote. */
  readonly index: { readonly checksum: number; readonly sizeBytes: number } | undefined;
}

export interface ShardChecksums {
  readonly shard: number;
  readonly coveredBytes: number;
  /** CRC-32C of each block; the last one may be shorter. */
  readonly blocks: readonly number[];
}

const MAGIC = Buffer.from("ECSU");
const HEAD_BYTES = 14;
const VERSION = 1;
const CRC32C_ALGORITHM = 1;
const INDEX_CHECKSUM_FIELD = 1000;
const INDEX_BYTES_FIELD = 1001;

export function encodeBitrotFile(protection: BitrotProtection, hashes: Checksums): Uint8Array {
  const { dataShards, parityShards, index } = protection;
  const payload = Buffer.concat([
    numberField(1, CRC32C_ALGORITHM),
    numberField(2, protection.blockBytes),
    numberField(3, protection.generation),
    bytesField(4, Buffer.concat([numberField(1, dataShards), numberField(2, parityShards)])),
    ...protection.shards.map((shard) => bytesField(5, encodeShard(shard))),
    bytesField(6, protection.encodingId),
    ...(index === undefined
      ? []
      : [
          numberField(INDEX_CHECKSUM_FIELD, index.checksum),
          numberField(INDEX_BYTES_FIELD, index.sizeBytes),
        ]),
  ]);
  const head = Buffer.alloc(HEAD_BYTES);
  head.set(MAGIC);
  head.writeUInt16BE(VERSION, 4);
  head.writeUInt32BE(payload.length, 6);
  head.writeUInt32BE(hashes.crc32c(payload), 10);
  return Buffer.concat([head, payload]);
}

function encodeShard(shard: ShardChecksums): Buffer {
  const checksums = Buffer.alloc(4 * shard.blocks.length);
  for (const [index, checksum] of shard.blocks.entries()) {
    checksums.writeUInt32LE(checksum, 4 * index);
  }
  return Buffer.concat([
    numberField(1, shard.shard),
    numberField(2, shard.coveredBytes),
    bytesField(3, checksums),
  ]);
}

/** `undefined` when the file is damaged, or of a version or an algorithm that is not known: then it protects nothing. */
export function parseBitrotFile(
  bytes: Uint8Array,
  hashes: Checksums,
): BitrotProtection | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.length < HEAD_BYTES || !file.subarray(0, 4).equals(MAGIC)) return undefined;
  const payload = file.subarray(HEAD_BYTES);
  if (file.readUInt16BE(4) !== VERSION || file.readUInt32BE(6) !== payload.length) return undefined;
  if (file.readUInt32BE(10) !== hashes.crc32c(payload)) return undefined;
  const fields = readFields(payload);
  if (fields === undefined || numberOf(fields, 1) !== CRC32C_ALGORITHM) return undefined;
  const counts = readFields(bytesOf(fields, 4) ?? Buffer.alloc(0));
  const shards = allBytesOf(fields, 5).map(parseShard);
  const blockBytes = numberOf(fields, 2);
  if (counts === undefined || blockBytes === 0) return undefined;
  if (shards.some((shard) => shard === undefined)) return undefined;
  const sizeBytes = numberOf(fields, INDEX_BYTES_FIELD);
  const checksum = numberOf(fields, INDEX_CHECKSUM_FIELD);
  return {
    blockBytes,
    generation: numberOf(fields, 3),
    dataShards: numberOf(counts, 1),
    parityShards: numberOf(counts, 2),
    shards: shards.map((shard) => must(shard)),
    encodingId: bytesOf(fields, 6) ?? Buffer.alloc(0),
    index: fields.some(
      (field) => field.number === INDEX_BYTES_FIELD || field.number === INDEX_CHECKSUM_FIELD,
    )
      ? { checksum, sizeBytes }
      : undefined,
  };
}

function parseShard(bytes: Buffer): ShardChecksums | undefined {
  const fields = readFields(bytes);
  if (fields === undefined) return undefined;
  const checksums = Buffer.concat(allBytesOf(fields, 3));
  return {
    shard: numberOf(fields, 1),
    coveredBytes: numberOf(fields, 2),
    blocks: Array.from({ length: Math.floor(checksums.length / 4) }, (_block, index) =>
      checksums.readUInt32LE(4 * index),
    ),
  };
}

/** 0 when absent: the format does not tell the two apart. */
function numberOf(fields: readonly ProtoField[], number: number): number {
  const field = fields.findLast((each) => each.number === number);
  return field?.kind === "number" ? field.value : 0;
}

function bytesOf(fields: readonly ProtoField[], number: number): Buffer | undefined {
  return allBytesOf(fields, number).at(-1);
}

function allBytesOf(fields: readonly ProtoField[], number: number): Buffer[] {
  return fields.flatMap((field) =>
    field.number === number && field.kind === "bytes" ? [field.value] : [],
  );
}
