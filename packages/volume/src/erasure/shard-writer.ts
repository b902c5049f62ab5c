import { type DiskFile, type ErasureCode, must } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import { ERASURE_PIECE_BYTES, ERASURE_SLICE_BYTES, JOB_SYNC_BYTES } from "../limits.ts";
import type { Checksums } from "../needle/decode.ts";
import type { Pace } from "../pace/pace.ts";
import { SteadySync } from "../pace/steady-sync.ts";
import type { ShardChecksums } from "./bitrot-file.ts";
import { type ErasureLayout, fileOffsetOf, shardBytesOf, shardCountOf } from "./layout.ts";

/** A volume file and the shards that are made, or were made, of it. */
export interface ShardWork {
  readonly layout: ErasureLayout;
  readonly code: ErasureCode;
  readonly data: DiskFile;
  /** One for each shard, in order. */
  readonly shards: readonly DiskFile[];
  readonly hashes: Checksums;
  readonly pace: Pace;
}

/**
 * Writes all shards and syncs them; returns their checksums as they were computed from memory. One file is read or written at a time,
 * and synced at another moment than the others: both would hold up whoever waits for the disk or for a processor.
 */
export async function writeShards(work: ShardWork): Promise<ShardChecksums[]> {
  const sums = new BlockSums(work);
  const pieces = pieceBuffers(work.layout);
  const syncings = work.shards.map((file, shard) => {
    const headStartBytes = Math.floor((shard * JOB_SYNC_BYTES) / work.shards.length);
    return new SteadySync(file, { headStartBytes });
  });
  for (const run of runsOf(work.layout)) {
    const row = pieces.map((piece) => piece.subarray(0, run.lengthBytes));
    await readRow(work, row, run.offsetBytes);
    await encodeRow(work, row);
    for (const [shard, piece] of row.entries()) {
      await must(work.shards[shard]).writeAt([piece], run.offsetBytes);
      await must(syncings[shard]).wrote(piece.length);
      sums.add(shard, piece);
      await work.pace.spend(piece.length);
    }
    sums.endRow(run.lengthBytes);
  }
  for (const syncing of syncings) await syncing.finish();
  return sums.finish();
}

/**
 * Reads all shards back and compares them: data shards with the volume file, parity shards with what the data read back gives,
 * all with `expected`. Throws `shards-corrupt`.
 */
export async function verifyShards(
  work: ShardWork,
  expected: readonly ShardChecksums[],
): Promise<void> {
  const { layout } = work;
  const sums = new BlockSums(work);
  const pieces = pieceBuffers(layout);
  const again = pieceBuffers(layout);
  for (const run of runsOf(layout)) {
    const row = pieces.map((piece) => piece.subarray(0, run.lengthBytes));
    const wanted = again.map((piece) => piece.subarray(0, run.lengthBytes));
    await readRow(work, wanted, run.offsetBytes);
    for (const [shard, piece] of row.entries()) {
      await readWhole(must(work.shards[shard]), piece, run.offsetBytes);
      await work.pace.spend(piece.length);
    }
    // Of the data as it was read back: parity that fits what the volume file holds, and not the shards, would be of no use.
    await encodeRow(work, [...row.slice(0, layout.dataShards), ...wanted.slice(layout.dataShards)]);
    for (const [shard, piece] of row.entries()) {
      if (Buffer.compare(piece, must(wanted[shard])) !== 0) {
        throw mismatch(must(work.shards[shard]), "it holds other bytes than were written");
      }
      sums.add(shard, piece);
      await work.pace.spend(0);
    }
    sums.endRow(run.lengthBytes);
  }
  for (const [shard, found] of sums.finish().entries()) {
    const blocks = expected[shard]?.blocks ?? [];
    if (found.blocks.join() !== blocks.join()) {
      throw mismatch(must(work.shards[shard]), "its checksums do not fit");
    }
  }
}

/** Checksums of the blocks of every shard, as rows of their pieces pass by. */
class BlockSums {
  readonly #work: ShardWork;
  readonly #blocks: number[][];
  readonly #sums: number[];
  #inBlockBytes = 0;

  constructor(work: ShardWork) {
    this.#work = work;
    this.#blocks = Array.from({ length: shardCountOf(work.layout) }, () => []);
    this.#sums = this.#blocks.map(() => 0);
  }

  add(shard: number, piece: Uint8Array): void {
    this.#sums[shard] = this.#work.hashes.crc32c(piece, this.#sums[shard]);
  }

  /** The next pieces of all shards, each of so many bytes, were added. A block ends where a piece ends. */
  endRow(lengthBytes: number): void {
    this.#inBlockBytes += lengthBytes;
    if (this.#inBlockBytes >= this.#work.layout.checksumBlockBytes) this.#endBlock();
  }

  finish(): ShardChecksums[] {
    if (this.#inBlockBytes > 0) this.#endBlock();
    const coveredBytes = shardBytesOf(this.#work.layout);
    return this.#blocks.map((blocks, shard) => ({ shard, coveredBytes, blocks }));
  }

  #endBlock(): void {
    for (const [shard, sum] of this.#sums.entries()) this.#blocks[shard]?.push(sum);
    this.#sums.fill(0);
    this.#inBlockBytes = 0;
  }
}

/** Runs of a shard, in order, that cross no block of either kind. */
function* runsOf(layout: ErasureLayout) {
  const stepBytes = Math.min(ERASURE_PIECE_BYTES, layout.smallBlockBytes);
  for (let offsetBytes = 0; offsetBytes < shardBytesOf(layout); offsetBytes += stepBytes) {
    yield { offsetBytes, lengthBytes: stepBytes };
  }
}

function pieceBuffers(layout: ErasureLayout): Buffer[] {
  const bytes = Math.min(ERASURE_PIECE_BYTES, layout.smallBlockBytes);
  return Array.from({ length: shardCountOf(layout) }, () => Buffer.allocUnsafeSlow(bytes));
}

/** Fills the data pieces of a row from the volume file; what is behind its end is zeros. */
async function readRow(work: ShardWork, row: readonly Buffer[], offset: number): Promise<void> {
  const { layout, data } = work;
  for (const [shard, piece] of row.slice(0, layout.dataShards).entries()) {
    const at = fileOffsetOf(layout, shard, offset);
    const wantedBytes = Math.max(0, Math.min(piece.length, layout.fileBytes - at));
    if (wantedBytes > 0) await readWhole(data, piece.subarray(0, wantedBytes), at);
    piece.fill(0, wantedBytes);
    await work.pace.spend(wantedBytes);
  }
}

async function readWhole(file: DiskFile, target: Uint8Array, offset: number): Promise<void> {
  const count = await file.readAt(target, offset);
  if (count !== target.length) throw mismatch(file, "it is too short");
}

/** Fills the parity pieces of a row from its data pieces, a slice at a time. */
async function encodeRow(work: ShardWork, row: readonly Buffer[]): Promise<void> {
  const { dataShards } = work.layout;
  const lengthBytes = row[0]?.length ?? 0;
  for (let at = 0; at < lengthBytes; at += ERASURE_SLICE_BYTES) {
    const slices = row.map((piece) => piece.subarray(at, at + ERASURE_SLICE_BYTES));
    work.code.encode(slices.slice(0, dataShards), slices.slice(dataShards));
    await work.pace.spend(0);
  }
}

function mismatch(file: DiskFile, found: string): VolumeError {
  return new VolumeError("shards-corrupt", `Cannot trust ${file.path}: ${found}`);
}
