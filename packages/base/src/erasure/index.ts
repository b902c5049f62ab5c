export { ErasureCode, SHARD_COUNT_MAX, type ShardPiece } from "./erasure-code.ts";
