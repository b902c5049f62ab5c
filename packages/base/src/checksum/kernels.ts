import { assert } from "../assert.ts";
import {
  CRC32C_POLYNOMIAL,
  CRC64NVME_POLYNOMIAL_HIGH,
  CRC64NVME_POLYNOMIAL_LOW,
  type Register64,
} from "./scalar.ts";
import { crcTable32, crcTable64 } from "./tables.ts";
import {
  type Code,
  I32,
  I64,
  type WasmFunction,
  assembleModule,
  getLocal,
  i32Const,
  i32Load,
  i32Load8U,
  i64Const,
  i64Load,
  i64Store,
  op,
  setLocal,
  whileLoop,
} from "./wasm-assembler.ts";

/**
 * Checksums slicing by 16, in WebAssembly: 16 bytes a turn, each looked up in a table of its own distance
 * from the end of the turn, so that the lookups do not wait for one another.
 *
 * Memory of the module:
 *
 * | offset  | size   | content                                                       |
 * |---------|--------|---------------------------------------------------------------|
 * | 0       | 16 KiB | CRC-32C: 16 tables of 256 × 4 bytes, farthest byte last       |
 * | 16 KiB  | 32 KiB | CRC-64/NVME: 16 tables of 256 × 8 bytes                       |
 * | 48 KiB  | 8      | register of the CRC-64, in and out                            |
 * | 64 KiB  | 64 KiB | the piece of input being summed                               |
 */
const SLICES = 16;
const TABLE_32_BYTES = 256 * 4;
const TABLE_64_BYTES = 256 * 8;
const TABLES_32_AT = 0;
const TABLES_64_AT = SLICES * TABLE_32_BYTES;
const REGISTER_64_AT = TABLES_64_AT + SLICES * TABLE_64_BYTES;
const INPUT_AT = 64 * 1024;
/** Small enough to stay in the processor's nearest caches between the copy and the sum. */
const PIECE_BYTES = 64 * 1024;
const MEMORY_PAGES = 2;

assert(REGISTER_64_AT + 8 <= INPUT_AT, "tables end before the input");
assert(INPUT_AT + PIECE_BYTES <= MEMORY_PAGES * 64 * 1024, "the input fits in the memory");

/** Moves the CRC-32C register (not inverted) over `bytes`, of any length. */
export function crc32cKernel(register: number, bytes: Uint8Array): number {
  let crc = register;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const end = copyIn(bytes, at);
    crc = kernels.crc32c(crc, INPUT_AT, end);
  }
  return crc;
}

/** The same for the CRC-64/NVME register. */
export function crc64NvmeKernel(register: Register64, bytes: Uint8Array): Register64 {
  memory32[REGISTER_64_AT / 4] = register.low;
  memory32[REGISTER_64_AT / 4 + 1] = register.high;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    kernels.crc64(INPUT_AT, copyIn(bytes, at));
  }
  return {
    low: memory32[REGISTER_64_AT / 4] ?? 0,
    high: memory32[REGISTER_64_AT / 4 + 1] ?? 0,
  };
}

/** Copies the piece at `at` to the kernels' input; returns its end there. */
function copyIn(bytes: Uint8Array, at: number): number {
  const isWhole = at === 0 && bytes.length <= PIECE_BYTES;
  const piece = isWhole ? bytes : bytes.subarray(at, at + PIECE_BYTES);
  memory8.set(piece, INPUT_AT);
  return INPUT_AT + piece.length;
}

interface Kernels {
  readonly memory: WebAssembly.Memory;
  crc32c(register: number, at: number, end: number): number;
  crc64(at: number, end: number): void;
}

const kernels = instantiate();
const memory8 = new Uint8Array(kernels.memory.buffer);
const memory32 = new Int32Array(kernels.memory.buffer);
fillTables32();
fillTables64();

function instantiate(): Kernels {
  const bytes = assembleModule(MEMORY_PAGES, [crc32cFunction(), crc64Function()]);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // The module is this file's own, so its exports are known.
  return instance.exports as unknown as Kernels;
}

function crc32cFunction(): WasmFunction {
  const [register, at, end, word] = [0, 1, 2, 3];
  const lookup: SliceLookup = { load: i32Load, at: TABLES_32_AT, bytes: TABLE_32_BYTES, scale: 2 };
  const turn: number[] = [];
  for (let index = 0; index < 4; index++) {
    turn.push(...getLocal(at), ...i32Load(4 * index));
    if (index === 0) turn.push(...getLocal(register), ...op.i32Xor);
    turn.push(...setLocal(word));
    turn.push(...lookUpWord(lookup, { word, index, xor: op.i32Xor }));
  }
  turn.push(...setLocal(register));
  // One byte: register = table[(register ^ byte) & 0xff] ^ (register >>> 8).
  const single: Code = [
    ...getLocal(register),
    ...getLocal(at),
    ...i32Load8U(0),
    ...op.i32Xor,
    ...setLocal(word),
    ...lookUpByte(lookup, { word, byte: 0, slice: 0 }),
    ...getLocal(register),
    ...i32Const(8),
    ...op.i32ShrU,
    ...op.i32Xor,
    ...setLocal(register),
  ];
  return {
    name: "crc32c",
    parameters: [I32, I32, I32],
    results: [I32],
    locals: [I32],
    body: [...sumAll({ at, end, turn, single }), ...getLocal(register)],
  };
}

function crc64Function(): WasmFunction {
  const [at, end, word, register] = [0, 1, 2, 3];
  const lookup: SliceLookup = { load: i64Load, at: TABLES_64_AT, bytes: TABLE_64_BYTES, scale: 3 };
  const low: Code = [...getLocal(register), ...op.i32WrapI64];
  const high: Code = [...getLocal(register), ...i64Const(32), ...op.i64ShrU, ...op.i32WrapI64];
  const turn: number[] = [];
  for (let index = 0; index < 4; index++) {
    turn.push(...getLocal(at), ...i32Load(4 * index));
    if (index === 0) turn.push(...low, ...op.i32Xor);
    if (index === 1) turn.push(...high, ...op.i32Xor);
    turn.push(...setLocal(word));
    turn.push(...lookUpWord(lookup, { word, index, xor: op.i64Xor }));
  }
  turn.push(...setLocal(register));
  const single: Code = [
    ...low,
    ...getLocal(at),
    ...i32Load8U(0),
    ...op.i32Xor,
    ...setLocal(word),
    ...lookUpByte(lookup, { word, byte: 0, slice: 0 }),
    ...getLocal(register),
    ...i64Const(8),
    ...op.i64ShrU,
    ...op.i64Xor,
    ...setLocal(register),
  ];
  return {
    name: "crc64",
    parameters: [I32, I32],
    results: [],
    locals: [I32, I64],
    body: [
      ...i32Const(REGISTER_64_AT),
      ...i64Load(0),
      ...setLocal(register),
      ...sumAll({ at, end, turn, single }),
      ...i32Const(REGISTER_64_AT),
      ...getLocal(register),
      ...i64Store(0),
    ],
  };
}

/** `turn` for every 16 bytes from `at` to `end`, then `single` for every byte left. */
function sumAll(loop: {
  readonly at: number;
  readonly end: number;
  readonly turn: Code;
  readonly single: Code;
}): Code {
  const { at, end } = loop;
  const advance = (count: number): Code => [
    ...getLocal(at),
    ...i32Const(count),
    ...op.i32Add,
    ...setLocal(at),
  ];
  const hasTurn = [
    ...getLocal(at),
    ...i32Const(SLICES),
    ...op.i32Add,
    ...getLocal(end),
    ...op.i32LeU,
  ];
  const hasByte = [...getLocal(at), ...getLocal(end), ...op.i32LtU];
  return [
    ...whileLoop(hasTurn, [...loop.turn, ...advance(SLICES)]),
    ...whileLoop(hasByte, [...loop.single, ...advance(1)]),
  ];
}

interface SliceLookup {
  readonly load: (offset: number) => Code;
  readonly at: number;
  /** Size of one table. */
  readonly bytes: number;
  /** Log₂ of the size of a cell. */
  readonly scale: number;
}

/** The cells of the 4 bytes of word `index` of a turn, joined with the sum of the words before. */
function lookUpWord(
  lookup: SliceLookup,
  place: { readonly word: number; readonly index: number; readonly xor: Code },
): Code {
  const code: number[] = [];
  for (let byte = 0; byte < 4; byte++) {
    const slice = SLICES - 1 - (4 * place.index + byte);
    code.push(...lookUpByte(lookup, { word: place.word, byte, slice }));
    if (place.index + byte > 0) code.push(...place.xor);
  }
  return code;
}

/** The cell of byte `byte` of a word. One shift both selects the byte and scales it to the size of a cell. */
function lookUpByte(
  lookup: SliceLookup,
  place: { readonly word: number; readonly byte: number; readonly slice: number },
): Code {
  const shift = 8 * place.byte - lookup.scale;
  return [
    ...getLocal(place.word),
    ...i32Const(Math.abs(shift)),
    ...(shift < 0 ? op.i32Shl : op.i32ShrU),
    ...i32Const(0xff << lookup.scale),
    ...op.i32And,
    ...lookup.load(lookup.at + place.slice * lookup.bytes),
  ];
}

/** Table s is table s−1 with one more zero byte behind. */
function fillTables32(): void {
  const base = crcTable32(CRC32C_POLYNOMIAL);
  const tables = memory32.subarray(TABLES_32_AT / 4, TABLES_32_AT / 4 + SLICES * 256);
  tables.set(base);
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (base[before & 0xff] ?? 0) ^ (before >>> 8);
  }
}

function fillTables64(): void {
  const base = crcTable64(CRC64NVME_POLYNOMIAL_HIGH, CRC64NVME_POLYNOMIAL_LOW);
  const start = TABLES_64_AT / 4;
  for (let value = 0; value < 256; value++) {
    let low = base.low[value] ?? 0;
    let high = base.high[value] ?? 0;
    for (let slice = 0; slice < SLICES; slice++) {
      const cell = start + (slice * 256 + value) * 2;
      memory32[cell] = low;
      memory32[cell + 1] = high;
      const index = low & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (base.low[index] ?? 0);
      high = (high >>> 8) ^ (base.high[index] ?? 0);
    }
  }
}
