import { type ByteSource, crc32c } from "./byte-source.ts";
import { multiply, parityRows } from "./galois.ts";
import { type FormatVersion, readRecord } from "./needle-record.ts";
import { readIndex } from "./volume.ts";
import type { VolumeInfo } from "./volume-info.ts";

/** The files of an erasure-coded volume. */
export interface ShardFiles {
  /** By number; absent ones are left out. */
  readonly shards: ReadonlyMap<number, ByteSource>;
  readonly index: ByteSource;
  readonly journal?: ByteSource | undefined;
  readonly sums?: ByteSource | undefined;
  readonly info: VolumeInfo;
}

const MIB = 1024 * 1024;
/** How the volume file is dealt out: rows of large blocks first, then rows of small ones. */
export interface ShardBlocks {
  readonly largeBytes: number;
  readonly smallBytes: number;
}

const BLOCKS: ShardBlocks = { largeBytes: 1024 * MIB, smallBytes: MIB };
const PIECE_BYTES = MIB;
const SUMS_MAGIC = 0x4543_5355;
const SUMS_HEADER_BYTES = 14;

/** Checks sums, parity and, when all data shards are there, every needle that the index names. `blocks`: of the format unless given. */
export function checkShards(files: ShardFiles, blocks = BLOCKS): string[] {
  const problems: string[] = [];
  const complain = (problem: string): void => void problems.push(problem);
  const sizes = new Set([...files.shards.values()].map((shard) => shard.sizeBytes));
  if (sizes.size > 1) complain(`shards of different sizes: ${[...sizes].join(", ")}`);
  checkSums(files, complain);
  checkParity(files, complain);
  checkNeedles(files, blocks, complain);
  return problems;
}

function checkSums({ sums, shards }: ShardFiles, complain: (problem: string) => void): void {
  if (sums === undefined) return;
  const bytes = sums.read(0, sums.sizeBytes);
  if (bytes.length < SUMS_HEADER_BYTES || bytes.readUInt32BE(0) !== SUMS_MAGIC) {
    return complain("the sums begin with another mark");
  }
  const payload = bytes.subarray(SUMS_HEADER_BYTES, SUMS_HEADER_BYTES + bytes.readUInt32BE(6));
  if (bytes.readUInt16BE(4) !== 1) complain(`sums of format ${bytes.readUInt16BE(4)}`);
  if (crc32c(payload) !== bytes.readUInt32BE(10)) return complain("the sums fail their own sum");
  const fields = [...protobufFields(payload)];
  const blockBytes = Number(fields.find(({ number }) => number === 2)?.value ?? 0);
  for (const { number, bytes: message } of fields) {
    if (number !== 5 || message === undefined) continue;
    const parts = [...protobufFields(message)];
    const id = Number(parts.find((part) => part.number === 1)?.value ?? 0);
    const covered = Number(parts.find((part) => part.number === 2)?.value ?? 0);
    const packed = parts.find((part) => part.number === 3)?.bytes ?? Buffer.alloc(0);
    const shard = shards.get(id);
    if (shard === undefined) continue;
    if (covered !== shard.sizeBytes) complain(`shard ${id}: sums cover ${covered} bytes of it`);
    for (let block = 0; block * 4 < packed.length; block += 1) {
      const count = Math.min(blockBytes, covered - block * blockBytes);
      if (crc32c(shard.read(block * blockBytes, count)) !== packed.readUInt32LE(block * 4)) {
        complain(`shard ${id}: block ${block} fails its sum`);
      }
    }
  }
}

function checkParity({ shards, info }: ShardFiles, complain: (problem: string) => void): void {
  const { dataShards, parityShards } = info;
  const data = Array.from({ length: dataShards }, (_, id) => shards.get(id));
  if (data.includes(undefined)) return;
  const rows = parityRows(dataShards, parityShards);
  for (const [index, row] of rows.entries()) {
    const parity = shards.get(dataShards + index);
    if (parity === undefined) continue;
    for (let at = 0; at < parity.sizeBytes; at += PIECE_BYTES) {
      const expected = Buffer.alloc(Math.min(PIECE_BYTES, parity.sizeBytes - at));
      for (const [column, factor] of row.entries()) {
        const products = Uint8Array.from({ length: 256 }, (_, byte) => multiply(byte, factor));
        const piece = data[column]?.read(at, expected.length) ?? Buffer.alloc(0);
        for (let byte = 0; byte < piece.length; byte += 1) {
          expected[byte] = (expected[byte] ?? 0) ^ (products[piece[byte] ?? 0] ?? 0);
        }
      }
      if (!expected.equals(parity.read(at, expected.length))) {
        complain(`shard ${dataShards + index}: not the parity of the data at ${at}`);
        break;
      }
    }
  }
}

function checkNeedles(
  files: ShardFiles,
  blocks: ShardBlocks,
  complain: (problem: string) => void,
): void {
  const { info, index, journal } = files;
  const gone = new Set<bigint>();
  const removals = journal?.read(0, journal.sizeBytes) ?? Buffer.alloc(0);
  for (let at = 0; at + 8 <= removals.length; at += 8) {
    gone.add(removals.readBigUInt64BE(at));
  }
  const data = joined(files, blocks);
  const version = data?.read(0, 1)[0];
  let last = -1n;
  for (const { id, offset, bodyBytes } of readIndex(index, info.bytesOffset, complain)) {
    if (id <= last) complain(`the sorted index has needle ${id} behind ${last}`);
    last = id;
    if (bodyBytes < 0 || gone.has(id) || data === undefined) continue;
    const record = readRecord(data, version as FormatVersion, offset, (problem) =>
      complain(`needle ${id}: ${problem}`),
    );
    if (record !== undefined && (record.id !== id || record.bodyBytes !== bodyBytes)) {
      complain(`the sorted index names needle ${id}, where needle ${record.id} is`);
    }
  }
}

/** The volume file that the data shards hold; `undefined` when one is absent. */
function joined(
  { shards, info }: ShardFiles,
  { largeBytes: largeBlockBytes, smallBytes: smallBlockBytes }: ShardBlocks,
): ByteSource | undefined {
  const { dataShards } = info;
  for (let id = 0; id < dataShards; id += 1) if (!shards.has(id)) return undefined;
  const shardBytes = shards.get(0)?.sizeBytes ?? 0;
  const sizeBytes = info.dataFileBytes ?? shardBytes * dataShards;
  const largeRows = Math.floor(
    (info.dataFileBytes === undefined ? shardBytes - 1 : sizeBytes / dataShards) / largeBlockBytes,
  );
  const largeBytes = largeRows * largeBlockBytes * dataShards;
  const place = (offset: number): { id: number; at: number; left: number } => {
    const isLarge = offset < largeBytes;
    const unit = isLarge ? largeBlockBytes : smallBlockBytes;
    const inside = isLarge ? offset : offset - largeBytes;
    const block = Math.floor(inside / unit);
    const start = isLarge ? 0 : largeRows * largeBlockBytes;
    const at = start + Math.floor(block / dataShards) * unit + (inside % unit);
    return { id: block % dataShards, at, left: unit - (inside % unit) };
  };
  return {
    sizeBytes,
    read(offset, count) {
      const pieces: Buffer[] = [];
      const end = Math.min(offset + count, sizeBytes);
      for (let from = offset; from < end;) {
        const { id, at, left } = place(from);
        const piece = shards.get(id)?.read(at, Math.min(left, end - from)) ?? Buffer.alloc(0);
        if (piece.length === 0) break;
        pieces.push(piece);
        from += piece.length;
      }
      return Buffer.concat(pieces);
    },
  };
}

interface ProtobufField {
  readonly number: number;
  readonly value?: bigint;
  readonly bytes?: Buffer;
}

/** Varints and length-delimited fields: nothing else stands in this message. */
function* protobufFields(message: Buffer): Generator<ProtobufField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at] ?? 0;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = Number(varint());
    const number = key >>> 3;
    if ((key & 7) === 0) yield { number, value: varint() };
    else if ((key & 7) === 2) {
      const length = Number(varint());
      yield { number, bytes: message.subarray(at, at + length) };
      at += length;
    } else throw new Error(`Cannot read a field of wire type ${key & 7}`);
  }
}
