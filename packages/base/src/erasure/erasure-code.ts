import { assert, must } from "../assert.ts";
import { SOURCES_MAX, combineKernel } from "./kernel.ts";
import { type Matrix, invert, multiplyMatrices, systematicMatrix } from "./matrix.ts";
import { combineScalar } from "./scalar.ts";

/** Shards of one code together: as many as the kernel takes sources, and as SeaweedFS has file names for. */
export const SHARD_COUNT_MAX = SOURCES_MAX;
/** Below this the call into the kernel costs more than plain code. */
const KERNEL_BYTES_MIN = 64;
/** Ways of losing shards whose matrices are kept: one for each that a code of 10 + 4 meets one or two at a time. */
const RECOVERIES_MAX = 128;

/** A piece of a shard, by the number of the shard; pieces of one place have one length. */
export interface ShardPiece {
  readonly shard: number;
  readonly bytes: Uint8Array;
}

/**
 * Reed and Solomon's code over the field of 256 elements: `dataShards` shards hold the data, `parityShards` more are made of
 * them, and any `dataShards` of all bring back the others. Byte-compatible with klauspost/reedsolomon's default.
 */
export class ErasureCode {
  readonly dataShards: number;
  readonly parityShards: number;
  readonly #matrix: Matrix;
  readonly #recoveries = new Map<string, Matrix>();

  constructor(shape: { readonly dataShards: number; readonly parityShards: number }) {
    assert(shape.dataShards >= 1, "a code has data shards");
    assert(shape.parityShards >= 1, "a code has parity shards");
    assert(shape.dataShards + shape.parityShards <= SHARD_COUNT_MAX, "shards fit in a code");
    this.dataShards = shape.dataShards;
    this.parityShards = shape.parityShards;
    this.#matrix = systematicMatrix(this.shardCount, this.dataShards);
  }

  get shardCount(): number {
    return this.dataShards + this.parityShards;
  }

  /** Fills `parity` from `data`: all pieces of one length, in order of their shards. */
  encode(data: readonly Uint8Array[], parity: readonly Uint8Array[]): void {
    assert(data.length === this.dataShards, "there is a piece of each data shard");
    assert(parity.length === this.parityShards, "there is room for each parity shard");
    combine(this.#matrix.slice(this.dataShards), data, parity);
  }

  /** Fills `wanted` from `present`, of which exactly `dataShards` are given. All pieces have one length. */
  reconstruct(present: readonly ShardPiece[], wanted: readonly ShardPiece[]): void {
    assert(present.length === this.dataShards, "as many shards are present as hold data");
    const rows = this.#recovery(
      present.map((piece) => piece.shard),
      wanted.map((piece) => piece.shard),
    );
    const bytesOf = (piece: ShardPiece): Uint8Array => piece.bytes;
    combine(rows, present.map(bytesOf), wanted.map(bytesOf));
  }

  /** The rows that make the shards `wanted` of the shards `present`. */
  #recovery(present: readonly number[], wanted: readonly number[]): Matrix {
    const key = `${present.join()}>${wanted.join()}`;
    const known = this.#recoveries.get(key);
    if (known !== undefined) return known;
    const inverted = invert(this.#rows(present));
    assert(inverted !== undefined, "present shards are different ones");
    const rows = multiplyMatrices(this.#rows(wanted), inverted);
    if (this.#recoveries.size >= RECOVERIES_MAX) this.#recoveries.clear();
    this.#recoveries.set(key, rows);
    return rows;
  }

  #rows(shards: readonly number[]): Matrix {
    return shards.map((shard) => must(this.#matrix[shard], "a shard is one of the code"));
  }
}

function combine(
  rows: Matrix,
  sources: readonly Uint8Array[],
  targets: readonly Uint8Array[],
): void {
  const lengthBytes = must(sources[0]).length;
  for (const piece of [...sources, ...targets]) {
    assert(piece.length === lengthBytes, "pieces have one length");
  }
  if (lengthBytes < KERNEL_BYTES_MIN) combineScalar(rows, sources, targets);
  else combineKernel(rows, sources, targets);
}
