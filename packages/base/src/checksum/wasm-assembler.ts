/**
 * Just enough of the WebAssembly binary format (core specification 1.0, chapter 5) to write small
 * kernels in TypeScript: one memory, functions of numbers, loops.
 */
export type Code = readonly number[];

export const I32 = 0x7f;
export const I64 = 0x7e;
/** A vector of 128 bits. */
export const V128 = 0x7b;

export const op = {
  i32And: [0x71],
  i32Or: [0x72],
  i32Xor: [0x73],
  i32Shl: [0x74],
  i32ShrU: [0x76],
  i32Rotl: [0x77],
  i32Add: [0x6a],
  i32LeU: [0x4d],
  i32LtU: [0x49],
  i32WrapI64: [0xa7],
  i64Xor: [0x85],
  i64ShrU: [0x88],
  // The vectors of core specification 2.0, seen as 16 bytes, as 8 or as 4 numbers.
  i8x16Swizzle: [0xfd, 0x0e],
  v128Not: [0xfd, 0x4d],
  v128And: [0xfd, 0x4e],
  /** The first and not the second. */
  v128Andnot: [0xfd, 0x4f],
  v128Or: [0xfd, 0x50],
  v128Xor: [0xfd, 0x51],
  i16x8ShrU: [0xfd, 0x8d, 0x01],
  i32x4Shl: [0xfd, 0xab, 0x01],
  i32x4ShrU: [0xfd, 0xad, 0x01],
  i32x4Add: [0xfd, 0xae, 0x01],
} as const satisfies Record<string, Code>;

export function i32Const(value: number): Code {
  return [0x41, ...signed(value)];
}

export function i64Const(value: number): Code {
  return [0x42, ...signed(value)];
}

export function getLocal(index: number): Code {
  return [0x20, ...unsigned(index)];
}

export function setLocal(index: number): Code {
  return [0x21, ...unsigned(index)];
}

/** Sets the local and leaves the value on the stack. */
export function teeLocal(index: number): Code {
  return [0x22, ...unsigned(index)];
}

/** Loads from the address on the stack plus `offset`. */
export function i32Load(offset: number): Code {
  return [0x28, 2, ...unsigned(offset)];
}

export function i32Load8U(offset: number): Code {
  return [0x2d, 0, ...unsigned(offset)];
}

export function i32Store(offset: number): Code {
  return [0x36, 2, ...unsigned(offset)];
}

export function i64Load(offset: number): Code {
  return [0x29, 3, ...unsigned(offset)];
}

export function i64Store(offset: number): Code {
  return [0x37, 3, ...unsigned(offset)];
}

/** Alignment is a hint; addresses of any alignment work. */
export function v128Load(offset: number): Code {
  return [0xfd, 0x00, 4, ...unsigned(offset)];
}

export function v128Store(offset: number): Code {
  return [0xfd, 0x0b, 4, ...unsigned(offset)];
}

/** 16 times `byte`. */
export function v128Repeat(byte: number): Code {
  return [0xfd, 0x0c, ...Array.from({ length: 16 }, () => byte)];
}

/** Four words of the two vectors on the stack: 0 to 3 are those of the lower one, 4 to 7 of the upper one. */
export function wordShuffle(words: readonly [number, number, number, number]): Code {
  const bytes = words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte));
  return [0xfd, 0x0d, ...bytes];
}

/** `while (condition) body`. */
export function whileLoop(condition: Code, body: Code): Code {
  const blockStart = [0x02, 0x40];
  const loopStart = [0x03, 0x40];
  const isZero = [0x45];
  const leave = [0x0d, 1];
  const repeat = [0x0c, 0];
  const end = [0x0b];
  return [
    ...blockStart,
    ...loopStart,
    ...condition,
    ...isZero,
    ...leave,
    ...body,
    ...repeat,
    ...end,
    ...end,
  ];
}

export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  readonly locals: readonly number[];
  readonly body: Code;
}

/** A module with one exported memory, named `memory`, of `pages` × 64 KiB. */
export function assembleModule(
  pages: number,
  functions: readonly WasmFunction[],
): Uint8Array<ArrayBuffer> {
  const types = functions.map((item) => [0x60, ...list(item.parameters), ...list(item.results)]);
  const indices = functions.map((_item, index) => unsigned(index));
  const exports = [
    [...text("memory"), 2, 0],
    ...functions.map((item, index) => [...text(item.name), 0, ...unsigned(index)]),
  ];
  return Uint8Array.from([
    0x00,
    0x61,
    0x73,
    0x6d,
    0x01,
    0x00,
    0x00,
    0x00,
    ...section(1, types),
    ...section(3, indices),
    ...section(5, [[0x00, ...unsigned(pages)]]),
    ...section(7, exports),
    ...section(10, functions.map(assembleFunction)),
  ]);
}

function assembleFunction(item: WasmFunction): Code {
  const locals = item.locals.map((type) => [1, type]);
  const code = [...unsigned(locals.length), ...locals.flat(), ...item.body, 0x0b];
  return [...unsigned(code.length), ...code];
}

function section(id: number, items: readonly Code[]): Code {
  const body = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(body.length), ...body];
}

function list(values: readonly number[]): Code {
  return [...unsigned(values.length), ...values];
}

function text(name: string): Code {
  return list([...Buffer.from(name)]);
}

/** LEB128 of a number below 2³². */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit number. */
function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isSignBitSet = (low & 0x40) !== 0;
    if ((rest === 0 && !isSignBitSet) || (rest === -1 && isSignBitSet)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}
