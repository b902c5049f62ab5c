import { assert } from "../assert.ts";
import {
  type Code,
  I32,
  V128,
  type WasmFunction,
  assembleModule,
  getLocal,
  i32Const,
  op,
  setLocal,
  v128Load,
  v128Repeat,
  v128Store,
  whileLoop,
} from "../checksum/wasm-assembler.ts";
import { multiply } from "./galois.ts";
import type { Matrix } from "./matrix.ts";

/**
 * Products of the field in WebAssembly vectors: a byte's product with a constant is the exclusive or of two
 * lookups, one for its low and one for its high four bits, and a swizzle looks up 16 of them at once. Up to
 * `ROWS_MAX` rows are made in one pass, so that each source is loaded and split once.
 *
 * Memory of the module:
 *
 * | offset   | size      | content                                                                    |
 * |----------|-----------|----------------------------------------------------------------------------|
 * | 0        | 4 KiB     | for each source, for each row: products of 0…15, then of 0, 16 … 240        |
 * | 64 KiB   | ≤ 36 × 32 KiB | a piece of each source, then of each target                                |
 */
export const SOURCES_MAX = 32;
const ROWS_MAX = 4;
const VECTOR_BYTES = 16;
const TURN_BYTES = VECTOR_BYTES;
const TABLE_BYTES = 2 * VECTOR_BYTES;
const PIECES_AT = 64 * 1024;
/** All pieces of ten sources and four targets together fit in the second cache of a processor. */
const PIECE_BYTES = 32 * 1024;
/** Pieces a power of two apart would all want the same lines of the first cache. */
const STRIDE_BYTES = PIECE_BYTES + 64;

assert(SOURCES_MAX * ROWS_MAX * TABLE_BYTES <= PIECES_AT, "tables end before the pieces");
assert(PIECE_BYTES % TURN_BYTES === 0, "a piece is whole turns");

/** `targets[r] = Σ rows[r][i] × sources[i]`. All of one length; targets are no views of sources. */
export function combineKernel(
  rows: Matrix,
  sources: readonly Uint8Array[],
  targets: readonly Uint8Array[],
): void {
  assert(sources.length > 0, "there is something to combine");
  assert(sources.length <= SOURCES_MAX, "the memory holds a piece of each source");
  for (let first = 0; first < targets.length; first += ROWS_MAX) {
    const last = Math.min(first + ROWS_MAX, targets.length);
    const kernel = kernelOf({ sourceCount: sources.length, rowCount: last - first });
    fillTables(kernel, rows.slice(first, last), sources.length);
    combineRows(kernel, sources, targets.slice(first, last));
  }
}

interface KernelShape {
  readonly sourceCount: number;
  readonly rowCount: number;
}

interface Kernel {
  readonly memory: Uint8Array;
  /** Makes the first `bytes`, a multiple of `TURN_BYTES`, of each target. */
  combine(bytes: number): void;
}

/** One for each shape met: straight code for its sources and rows is a third faster than loops over them. */
const kernels = new Map<number, Kernel>();

function kernelOf(shape: KernelShape): Kernel {
  const key = shape.sourceCount * (ROWS_MAX + 1) + shape.rowCount;
  let kernel = kernels.get(key);
  if (kernel === undefined) {
    kernel = instantiate(shape);
    kernels.set(key, kernel);
  }
  return kernel;
}

function instantiate(shape: KernelShape): Kernel {
  const bytes = assembleModule(memoryPages(shape), [combineFunction(shape)]);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // The module is this file's own, so its exports are known.
  const exports = instance.exports as unknown as {
    readonly memory: WebAssembly.Memory;
    readonly combine: (bytes: number) => void;
  };
  return { memory: new Uint8Array(exports.memory.buffer), combine: exports.combine };
}

function memoryPages(shape: KernelShape): number {
  const bytes = PIECES_AT + (shape.sourceCount + shape.rowCount) * STRIDE_BYTES;
  return Math.ceil(bytes / (64 * 1024));
}

function tableAt(shape: KernelShape, source: number, row: number): number {
  return (source * shape.rowCount + row) * TABLE_BYTES;
}

function fillTables(kernel: Kernel, rows: Matrix, sourceCount: number): void {
  const shape = { sourceCount, rowCount: rows.length };
  for (const [index, row] of rows.entries()) {
    for (let source = 0; source < sourceCount; source++) {
      const at = tableAt(shape, source, index);
      for (let half = 0; half < VECTOR_BYTES; half++) {
        kernel.memory[at + half] = multiply(row[source] ?? 0, half);
        kernel.memory[at + VECTOR_BYTES + half] = multiply(row[source] ?? 0, half << 4);
      }
    }
  }
}

function combineRows(
  kernel: Kernel,
  sources: readonly Uint8Array[],
  targets: readonly Uint8Array[],
): void {
  const { memory } = kernel;
  const lengthBytes = targets[0]?.length ?? 0;
  const targetsAt = PIECES_AT + sources.length * STRIDE_BYTES;
  for (let at = 0; at < lengthBytes; at += PIECE_BYTES) {
    const end = Math.min(at + PIECE_BYTES, lengthBytes);
    for (const [index, source] of sources.entries()) {
      memory.set(source.subarray(at, end), PIECES_AT + index * STRIDE_BYTES);
    }
    // A last turn may go over what an earlier piece left; its products are not taken out.
    kernel.combine(Math.ceil((end - at) / TURN_BYTES) * TURN_BYTES);
    for (const [index, target] of targets.entries()) {
      const from = targetsAt + index * STRIDE_BYTES;
      target.set(memory.subarray(from, from + end - at), at);
    }
  }
}

/** `combine(bytes)`: a loop whose turn makes `TURN_BYTES` of every target, the sums staying in registers. */
function combineFunction(shape: KernelShape): WasmFunction {
  const [bytes, at, low, high, value] = [0, 1, 2, 3, 4];
  const sums = Array.from({ length: shape.rowCount }, (_cell, row) => 5 + row);
  const mask = v128Repeat(0x0f);
  const turn: number[] = [];
  for (let source = 0; source < shape.sourceCount; source++) {
    turn.push(
      ...getLocal(at),
      ...v128Load(PIECES_AT + source * STRIDE_BYTES),
      ...setLocal(value),
      ...getLocal(value),
      ...mask,
      ...op.v128And,
      ...setLocal(low),
      ...getLocal(value),
      ...i32Const(4),
      ...op.i16x8ShrU,
      ...mask,
      ...op.v128And,
      ...setLocal(high),
    );
    for (const [row, sum] of sums.entries()) {
      const table = tableAt(shape, source, row);
      turn.push(
        ...lookUp(table, low),
        ...lookUp(table + VECTOR_BYTES, high),
        ...op.v128Xor,
        ...(source === 0 ? [] : [...getLocal(sum), ...op.v128Xor]),
        ...setLocal(sum),
      );
    }
  }
  for (const [row, sum] of sums.entries()) {
    const targetAt = PIECES_AT + (shape.sourceCount + row) * STRIDE_BYTES;
    turn.push(...getLocal(at), ...getLocal(sum), ...v128Store(targetAt));
  }
  turn.push(...getLocal(at), ...i32Const(TURN_BYTES), ...op.i32Add, ...setLocal(at));
  return {
    name: "combine",
    parameters: [I32],
    results: [],
    locals: [I32, V128, V128, V128, ...sums.map(() => V128)],
    body: whileLoop([...getLocal(at), ...getLocal(bytes), ...op.i32LtU], turn),
  };
}

function lookUp(tableAddress: number, indexes: number): Code {
  return [...i32Const(0), ...v128Load(tableAddress), ...getLocal(indexes), ...op.i8x16Swizzle];
}
