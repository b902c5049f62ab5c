import { assert } from "@kelp/base";
import type { ErasureShape } from "@kelp/wire";
import {
  BITROT_BLOCK_BYTES,
  DATA_SHARDS_DEFAULT,
  LARGE_BLOCK_BYTES,
  PARITY_SHARDS_DEFAULT,
  SMALL_BLOCK_BYTES,
} from "../limits.ts";

/**
 * How the bytes of a volume file, superblock included, are dealt out to shards (source: the format of SeaweedFS).
 * While a whole row of large blocks is left, one is dealt: block i goes to data shard i. The rest goes in rows of small
 * blocks, the last one filled up with zeros. A row's parity blocks go to the parity shards. So a shard is all its
 * large blocks, then all its small ones.
 */
export interface ErasureLayout extends BlockSizes {
  readonly dataShards: number;
  readonly parityShards: number;
  /** Length of the volume file; what is behind it in the last row is zeros. */
  readonly fileBytes: number;
  readonly largeRows: number;
  readonly smallRows: number;
}

/** Sizes of blocks. Others than the format's are for tests. */
export interface BlockSizes {
  readonly largeBlockBytes: number;
  readonly smallBlockBytes: number;
  /** Bytes of a shard under one checksum. */
  readonly checksumBlockBytes: number;
}

export const FORMAT_BLOCKS: BlockSizes = {
  largeBlockBytes: LARGE_BLOCK_BYTES,
  smallBlockBytes: SMALL_BLOCK_BYTES,
  checksumBlockBytes: BITROT_BLOCK_BYTES,
};

export interface ShardCounts {
  readonly dataShards: number;
  readonly parityShards: number;
}

export function shardCountsOf(shape: ErasureShape): ShardCounts {
  return {
    dataShards: shape.dataShards ?? DATA_SHARDS_DEFAULT,
    parityShards: shape.parityShards ?? PARITY_SHARDS_DEFAULT,
  };
}

export function layoutOf(
  counts: ShardCounts,
  fileBytes: number,
  blocks: BlockSizes = FORMAT_BLOCKS,
): ErasureLayout {
  assert(fileBytes > 0, "a volume file has a superblock");
  const { dataShards, parityShards } = counts;
  const { largeBlockBytes, smallBlockBytes } = blocks;
  const largeRows = Math.floor(fileBytes / (dataShards * largeBlockBytes));
  const rest = fileBytes - largeRows * dataShards * largeBlockBytes;
  const smallRows = Math.ceil(rest / (dataShards * smallBlockBytes));
  return { dataShards, parityShards, fileBytes, ...blocks, largeRows, smallRows };
}

/**
 * The layout that older releases gave a file that is whole large rows: its last large row went in small blocks. The
 * shards have the same length in both, so only what is in them tells. `undefined` when there is no such doubt.
 */
export function olderLayoutOf(layout: ErasureLayout): ErasureLayout | undefined {
  if (layout.smallRows > 0 || layout.largeRows === 0) return undefined;
  const smallRows = layout.largeBlockBytes / layout.smallBlockBytes;
  return { ...layout, largeRows: layout.largeRows - 1, smallRows };
}

/** The layout of shards of that length, `fileBytes` of which are the volume file. Default: all that the data shards hold. */
export function layoutOfShards(
  counts: ShardCounts,
  shardBytes: number,
  blocks: BlockSizes,
  fileBytes = counts.dataShards * shardBytes,
): ErasureLayout {
  assert(shardBytes > 0, "a shard holds something");
  const { dataShards, parityShards } = counts;
  const largeRows = Math.floor((shardBytes - 1) / blocks.largeBlockBytes);
  const smallRows = Math.ceil(
    (shardBytes - largeRows * blocks.largeBlockBytes) / blocks.smallBlockBytes,
  );
  return { dataShards, parityShards, fileBytes, ...blocks, largeRows, smallRows };
}

/** Length of each shard. */
export function shardBytesOf(layout: ErasureLayout): number {
  return layout.largeRows * layout.largeBlockBytes + layout.smallRows * layout.smallBlockBytes;
}

export function shardCountOf(layout: ErasureLayout): number {
  return layout.dataShards + layout.parityShards;
}

/** A run of bytes of the volume file that stands in one block. */
export interface Segment {
  readonly shard: number;
  /** In the shard. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Where the bytes from `offset` stand, in order. They need not be within the file, only within the shards. */
export function segmentsOf(layout: ErasureLayout, offset: number, length: number): Segment[] {
  const segments: Segment[] = [];
  for (let at = offset; at < offset + length;) {
    const segment = segmentAt(layout, at);
    const lengthBytes = Math.min(segment.lengthBytes, offset + length - at);
    segments.push({ ...segment, lengthBytes });
    at += lengthBytes;
  }
  return segments;
}

/** The place of one byte and how much of its block is left. */
function segmentAt(layout: ErasureLayout, at: number): Segment {
  const { dataShards, largeBlockBytes, smallBlockBytes, largeRows } = layout;
  const largeEnd = largeRows * dataShards * largeBlockBytes;
  const isLarge = at < largeEnd;
  const blockBytes = isLarge ? largeBlockBytes : smallBlockBytes;
  const inArea = isLarge ? at : at - largeEnd;
  const block = Math.floor(inArea / blockBytes);
  const inBlock = inArea - block * blockBytes;
  const rowStart = isLarge ? 0 : largeRows * largeBlockBytes;
  return {
    shard: block % dataShards,
    offsetBytes: rowStart + Math.floor(block / dataShards) * blockBytes + inBlock,
    lengthBytes: blockBytes - inBlock,
  };
}

/** Where a piece of a data shard comes from in the volume file. The piece must not cross blocks. */
export function fileOffsetOf(layout: ErasureLayout, shard: number, offset: number): number {
  const { dataShards, largeBlockBytes, smallBlockBytes, largeRows } = layout;
  const largeBytes = largeRows * largeBlockBytes;
  const isLarge = offset < largeBytes;
  const blockBytes = isLarge ? largeBlockBytes : smallBlockBytes;
  const inArea = isLarge ? offset : offset - largeBytes;
  const row = Math.floor(inArea / blockBytes);
  const areaStart = isLarge ? 0 : largeBytes * dataShards;
  return areaStart + (row * dataShards + shard) * blockBytes + (inArea - row * blockBytes);
}
