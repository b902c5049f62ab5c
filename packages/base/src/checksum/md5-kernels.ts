import { assert } from "../assert.ts";
import { scalarFunction, transposeFunction, vectorFunction } from "./md5-code.ts";
import {
  ADDENDS_AT,
  LANES_AT,
  LANE_STRIDE_BYTES,
  MD5_LANES_MAX,
  MD5_PIECE_BYTES,
  MEMORY_PAGES,
  STATES_AT,
  TRANSPOSED_AT,
} from "./md5-memory.ts";
import { MD5_BLOCK_BYTES, MD5_STATE_WORDS, MD5_STEPS } from "./md5-scalar.ts";
import { assembleModule } from "./wasm-assembler.ts";

/** One body on its way: its state, which is moved on, and the whole blocks to move it over. */
export interface Md5Lane {
  /** `MD5_STATE_WORDS` words. */
  readonly state: Int32Array;
  /** Of a length that `MD5_BLOCK_BYTES` divides. */
  readonly bytes: Uint8Array;
}

/**
 * Moves up to `MD5_LANES_MAX` bodies on at once. MD5 of one body leaves most of a processor waiting for its own last step,
 * so that two take little longer than one, and four, as the words of vectors, less than one and a half times as long.
 */
export function moveMd5Lanes(lanes: readonly Md5Lane[]): void {
  assert(lanes.length <= MD5_LANES_MAX, "each body has a lane");
  for (const { state, bytes } of lanes) {
    assert(state.length === MD5_STATE_WORDS, "a state is four words");
    assert(bytes.length % MD5_BLOCK_BYTES === 0, "MD5 moves over whole blocks");
  }
  let doneBytes = 0;
  for (;;) {
    const rest = lanes.filter(({ bytes }) => bytes.length > doneBytes);
    if (rest.length === 0) return;
    const endBytes = Math.min(...rest.map(({ bytes }) => bytes.length));
    moveTogether(rest, doneBytes, endBytes);
    doneBytes = endBytes;
  }
}

function moveTogether(lanes: readonly Md5Lane[], from: number, until: number): void {
  for (const [lane, { state }] of lanes.entries()) {
    for (let word = 0; word < MD5_STATE_WORDS; word++) words[cellOf(lane, word)] = state[word] ?? 0;
  }
  for (let at = from; at < until; at += MD5_PIECE_BYTES) {
    const pieceBytes = Math.min(MD5_PIECE_BYTES, until - at);
    for (const [lane, { bytes }] of lanes.entries()) {
      memory.set(bytes.subarray(at, at + pieceBytes), LANES_AT + lane * LANE_STRIDE_BYTES);
    }
    moveOverPiece(lanes.length, pieceBytes);
  }
  for (const [lane, { state }] of lanes.entries()) {
    for (let word = 0; word < MD5_STATE_WORDS; word++) state[word] = words[cellOf(lane, word)] ?? 0;
  }
}

/** What stands in lanes that are not used is hashed with the others, and nobody reads it. */
function moveOverPiece(laneCount: number, pieceBytes: number): void {
  const end = LANES_AT + pieceBytes;
  if (laneCount === 1) {
    kernels.md5x1(LANES_AT, end);
  } else if (laneCount === 2) {
    kernels.md5x2(LANES_AT, end);
  } else {
    kernels.transpose(LANES_AT, end, TRANSPOSED_AT);
    kernels.md5x4(TRANSPOSED_AT, TRANSPOSED_AT + MD5_LANES_MAX * pieceBytes);
  }
}

function cellOf(lane: number, word: number): number {
  return STATES_AT / 4 + word * MD5_LANES_MAX + lane;
}

interface Kernels {
  readonly memory: WebAssembly.Memory;
  md5x1(at: number, end: number): void;
  md5x2(at: number, end: number): void;
  md5x4(at: number, end: number): void;
  transpose(at: number, end: number, to: number): void;
}

const kernels = instantiate();
const memory = new Uint8Array(kernels.memory.buffer);
const words = new Int32Array(kernels.memory.buffer);
for (const [step, { addend }] of MD5_STEPS.entries()) {
  const first = ADDENDS_AT / 4 + step * MD5_LANES_MAX;
  words.fill(addend, first, first + MD5_LANES_MAX);
}

function instantiate(): Kernels {
  const bytes = assembleModule(MEMORY_PAGES, [
    scalarFunction(1),
    scalarFunction(2),
    vectorFunction(),
    transposeFunction(),
  ]);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // The module is this file's own, so its exports are known.
  return instance.exports as unknown as Kernels;
}
