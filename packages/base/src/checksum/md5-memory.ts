import { assert } from "../assert.ts";
import { MD5_BLOCK_BYTES, MD5_STATE_WORDS } from "./md5-scalar.ts";

/** Bodies that the kernels hash at once. */
export const MD5_LANES_MAX = 4;
/** How much of each lane is moved over at once: that of four lanes, twice, stays in the processor's nearest cache. */
export const MD5_PIECE_BYTES = 4 * 1024;

/** A vector holds one word of each lane. */
export const VECTOR_BYTES = 4 * MD5_LANES_MAX;
/** The words of a block of each lane, one vector for each. */
export const TRANSPOSED_BLOCK_BYTES = MD5_BLOCK_BYTES * MD5_LANES_MAX;

/**
 * Memory of the module:
 *
 * | offset  | size        | content                                                                  |
 * |---------|-------------|--------------------------------------------------------------------------|
 * | 0       | 64          | states, word by word: word w of lane l at 16 × w + 4 × l                 |
 * | 64      | 16          | `NOTHING_AT`: written and never read                                     |
 * | 1 KiB   | 1 KiB       | what the 64 steps add, four times each                                   |
 * | 4 KiB   | 16 KiB      | the pieces of four lanes, word by word                                   |
 * | 20 KiB  | 4 × 4.1 KiB | the piece of each lane, `LANE_STRIDE_BYTES` apart                        |
 */
export const STATES_AT = 0;
export const NOTHING_AT = 64;
export const ADDENDS_AT = 1024;
export const TRANSPOSED_AT = 4 * 1024;
export const LANES_AT = TRANSPOSED_AT + MD5_LANES_MAX * MD5_PIECE_BYTES;
/** No multiple of 4 KiB: at those, caches keep few lines. */
export const LANE_STRIDE_BYTES = MD5_PIECE_BYTES + 128;
export const MEMORY_PAGES = 1;

assert(STATES_AT + VECTOR_BYTES * MD5_STATE_WORDS <= NOTHING_AT, "the states end");
assert(NOTHING_AT + VECTOR_BYTES <= ADDENDS_AT, "what is never read ends");
assert(ADDENDS_AT + 64 * VECTOR_BYTES <= TRANSPOSED_AT, "the addends end");
assert(
  LANES_AT + MD5_LANES_MAX * LANE_STRIDE_BYTES <= MEMORY_PAGES * 64 * 1024,
  "the lanes fit in the memory",
);
