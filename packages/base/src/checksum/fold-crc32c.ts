import { assert } from "../assert.ts";
import { crc32cKernel } from "./kernels.ts";
import {
  type Code,
  I32,
  type WasmFunction,
  assembleModule,
  getLocal,
  i32Const,
  op,
  setLocal,
  v128Load,
  v128Store,
  whileLoop,
} from "./wasm-assembler.ts";

/**
 * CRC-32C of long input, without tables: three vector XORs for every 16 bytes, in WebAssembly.
 *
 * The polynomial P of CRC-32C divides Q = x^5424 + x^4146 + x^3859 + 1, hence also Q⁸, whose exponents are whole bytes
 * (squaring doubles every exponent, as there are no carries). So a byte at the front of a message can be taken away
 * when it is added (XOR) 1278, 1565 and 5424 bytes further on: that adds a multiple of Q⁸, and the remainder by P stays. Done from front
 * to back, it leaves the last `WINDOW_BYTES` of the message, and those go through the kernel with tables.
 *
 * Seen from the place that receives: byte i becomes i ^ (i − 1278) ^ (i − 1565) ^ (i − 5424), of bytes that are done already.
 */
const NEAR_BYTES = 1278;
const MIDDLE_BYTES = 1565;
const WINDOW_BYTES = 5424;

/** Bytes of one turn: four vectors, which do not depend on one another as long as nothing nearer is added. */
const TURN_BYTES = 64;
const VECTOR_BYTES = 16;
const TURN_VECTORS = TURN_BYTES / VECTOR_BYTES;
/** Small enough for the processor's nearest caches, together with the window before it. */
const PIECE_BYTES = 24 * 1024;
/** What is left for the tables, the window and less than a turn, takes this much in whole turns. */
const TAIL_BYTES_MAX = Math.ceil((WINDOW_BYTES + TURN_BYTES) / TURN_BYTES) * TURN_BYTES;

/** Memory of the module: the window before the piece, the piece, the tail. */
const WINDOW_AT = 0;
const PIECE_AT = WINDOW_AT + WINDOW_BYTES;
const TAIL_AT = PIECE_AT + PIECE_BYTES;
const MEMORY_PAGES = 1;

assert(NEAR_BYTES >= TURN_BYTES, "what a turn adds was done before it");
assert(PIECE_BYTES % TURN_BYTES === 0, "a piece is whole turns");
assert(PIECE_BYTES >= TAIL_BYTES_MAX, "the place behind the window holds as much as the tail");
assert(TAIL_AT + TAIL_BYTES_MAX <= MEMORY_PAGES * 64 * 1024, "all that fits in the memory");

/** Below this the tail is too large a part of it (measured). */
export const FOLD_BYTES_MIN = 32 * 1024;

assert(FOLD_BYTES_MIN >= TAIL_BYTES_MAX + TURN_BYTES, "something is left to fold");

/** Moves the CRC-32C register (not inverted) over `bytes`, of at least `FOLD_BYTES_MIN`. */
export function crc32cFold(register: number, bytes: Uint8Array): number {
  assert(bytes.length >= FOLD_BYTES_MIN, "the input is long");
  const turns = Math.floor((bytes.length - WINDOW_BYTES) / TURN_BYTES);
  const foldedBytes = turns * TURN_BYTES;
  memory.fill(0, WINDOW_AT, PIECE_AT);
  for (let at = 0; at < foldedBytes; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, Math.min(at + PIECE_BYTES, foldedBytes));
    memory.set(piece, PIECE_AT);
    if (at === 0) addRegister(register);
    kernels.fold(PIECE_AT, PIECE_AT, PIECE_AT + piece.length);
    // The end of what is done stands before what comes next.
    memory.copyWithin(WINDOW_AT, WINDOW_AT + piece.length, PIECE_AT + piece.length);
  }
  // The tail receives from what was folded and not from itself: zeros stand where it would be.
  const tailBytes = bytes.length - foldedBytes;
  memory.set(bytes.subarray(foldedBytes), TAIL_AT);
  memory.fill(0, PIECE_AT, PIECE_AT + TAIL_BYTES_MAX);
  kernels.fold(TAIL_AT, PIECE_AT, TAIL_AT + tailBytes);
  return crc32cKernel(0, memory.subarray(TAIL_AT, TAIL_AT + tailBytes));
}

/** Adds the register to the first four bytes of the piece. */
function addRegister(register: number): void {
  for (let index = 0; index < 4; index++) {
    memory[PIECE_AT + index] =
      (memory[PIECE_AT + index] ?? 0) ^ ((register >>> (8 * index)) & 0xff);
  }
}

interface Kernels {
  readonly memory: WebAssembly.Memory;
  /** Adds to the bytes from `target` to `end`, in whole turns, what stands the three distances before `source` and on. */
  fold(target: number, source: number, end: number): void;
}

const kernels = instantiate();
const memory = new Uint8Array(kernels.memory.buffer);

function instantiate(): Kernels {
  const bytes = assembleModule(MEMORY_PAGES, [foldFunction()]);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // The module is this file's own, so its exports are known.
  return instance.exports as unknown as Kernels;
}

function foldFunction(): WasmFunction {
  const [target, source, end] = [0, 1, 2];
  const load = (at: number, offset: number): Code => [...getLocal(at), ...v128Load(offset)];
  const advance = (at: number, bytes: number): Code => [
    ...getLocal(at),
    ...i32Const(bytes),
    ...op.i32Add,
    ...setLocal(at),
  ];
  const turn: number[] = [];
  for (let vector = 0; vector < TURN_VECTORS; vector++) {
    const offset = vector * VECTOR_BYTES;
    turn.push(...getLocal(target), ...load(target, offset));
    for (const distance of [NEAR_BYTES, MIDDLE_BYTES, WINDOW_BYTES]) {
      turn.push(...load(source, WINDOW_BYTES - distance + offset), ...op.v128Xor);
    }
    turn.push(...v128Store(offset));
  }
  const hasTurn = [...getLocal(target), ...getLocal(end), ...op.i32LtU];
  return {
    name: "fold",
    parameters: [I32, I32, I32],
    results: [],
    locals: [],
    body: [
      // Offsets of loads are not negative: from here on it is where the farthest vector stands.
      ...advance(source, -WINDOW_BYTES),
      ...whileLoop(hasTurn, [
        ...turn,
        ...advance(target, TURN_BYTES),
        ...advance(source, TURN_BYTES),
      ]),
    ],
  };
}
