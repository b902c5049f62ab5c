import {
  ADDENDS_AT,
  LANE_STRIDE_BYTES,
  MD5_LANES_MAX,
  NOTHING_AT,
  STATES_AT,
  TRANSPOSED_BLOCK_BYTES,
  VECTOR_BYTES,
} from "./md5-memory.ts";
import { MD5_BLOCK_BYTES, MD5_STATE_WORDS, MD5_STEPS, type Md5Step } from "./md5-scalar.ts";
import {
  type Code,
  I32,
  V128,
  type WasmFunction,
  getLocal,
  i32Const,
  i32Load,
  i32Store,
  op,
  setLocal,
  teeLocal,
  v128Load,
  v128Store,
  whileLoop,
  wordShuffle,
} from "./wasm-assembler.ts";

/** The code of the MD5 kernels; `md5-memory.ts` tells where in memory is what. Each function runs from `at` to `end`. */

const [AT, END] = [0, 1];
const ZERO = i32Const(0);

/** `md5x1`, `md5x2`: blocks of so many lanes, one word at a time, the steps of the lanes side by side. */
export function scalarFunction(laneCount: number): WasmFunction {
  const lanes = Array.from({ length: laneCount }, (_, lane) => lane);
  const register = (lane: number, word: number): number => 2 + lane * MD5_STATE_WORDS + word;
  const stateAt = (lane: number, word: number): number =>
    STATES_AT + word * VECTOR_BYTES + 4 * lane;
  const load: number[] = [];
  const save: number[] = [];
  for (const lane of lanes) {
    for (let word = 0; word < MD5_STATE_WORDS; word++) {
      const held = register(lane, word);
      const where = stateAt(lane, word);
      load.push(...ZERO, ...i32Load(where), ...setLocal(held));
      save.push(...ZERO, ...ZERO, ...i32Load(where), ...getLocal(held), ...op.i32Add);
      save.push(...teeLocal(held), ...i32Store(where));
    }
  }
  const turn: number[] = [];
  for (const [index, step] of MD5_STEPS.entries()) {
    for (const lane of lanes) {
      const turned = turnedRegisters(index, (word) => register(lane, word));
      turn.push(...getLocal(turned.a), ...i32Const(step.addend), ...op.i32Add);
      turn.push(...getLocal(AT), ...i32Load(lane * LANE_STRIDE_BYTES + 4 * step.word));
      turn.push(...op.i32Add, ...mix(step, turned, SCALAR));
      turn.push(...i32Const(step.rotation), ...op.i32Rotl);
      turn.push(...getLocal(turned.b), ...op.i32Add, ...setLocal(turned.a));
    }
  }
  return {
    name: `md5x${laneCount}`,
    parameters: [I32, I32],
    results: [],
    locals: Array.from({ length: laneCount * MD5_STATE_WORDS }, () => I32),
    body: [...load, ...eachBlock([...turn, ...save, ...advance(AT, MD5_BLOCK_BYTES)])],
  };
}

/** `md5x4`: blocks of four lanes that `transpose` made, one vector of four words at a time. */
export function vectorFunction(): WasmFunction {
  const register = (word: number): number => 2 + word;
  const sum = 2 + MD5_STATE_WORDS;
  const load: number[] = [];
  const save: number[] = [];
  for (let word = 0; word < MD5_STATE_WORDS; word++) {
    const held = register(word);
    const where = STATES_AT + word * VECTOR_BYTES;
    load.push(...ZERO, ...v128Load(where), ...setLocal(held));
    save.push(...ZERO, ...ZERO, ...v128Load(where), ...getLocal(held), ...op.i32x4Add);
    save.push(...teeLocal(held), ...v128Store(where));
  }
  const turn: number[] = [];
  for (const [index, step] of MD5_STEPS.entries()) {
    const turned = turnedRegisters(index, register);
    if (index > 0 && index % 16 === 0) turn.push(...forgetLoads(turned.a));
    turn.push(...getLocal(turned.a), ...ZERO, ...v128Load(ADDENDS_AT + index * VECTOR_BYTES));
    turn.push(...op.i32x4Add, ...getLocal(AT), ...v128Load(step.word * VECTOR_BYTES));
    turn.push(...op.i32x4Add, ...mix(step, turned, VECTOR));
    // Vectors have no rotation.
    turn.push(...teeLocal(sum), ...i32Const(step.rotation), ...op.i32x4Shl);
    turn.push(...getLocal(sum), ...i32Const(32 - step.rotation), ...op.i32x4ShrU, ...op.v128Or);
    turn.push(...getLocal(turned.b), ...op.i32x4Add, ...setLocal(turned.a));
  }
  return {
    name: "md5x4",
    parameters: [I32, I32],
    results: [],
    locals: Array.from({ length: MD5_STATE_WORDS + 1 }, () => V128),
    body: [...load, ...eachBlock([...turn, ...save, ...advance(AT, TRANSPOSED_BLOCK_BYTES)])],
  };
}

/**
 * The compiler takes words that were loaded once for known until memory is written, keeps all 16 of a block, and for want of
 * registers puts them and the sums between steps on the stack, where each step waits for them: a third slower.
 */
function forgetLoads(register: number): Code {
  return [...ZERO, ...getLocal(register), ...v128Store(NOTHING_AT)];
}

/**
 * `transpose`: from the pieces of four lanes, `at` to `end` in the first, to vectors of one word of each lane, from its
 * third parameter on. (A function of its own, so that the constants of its shuffles take no registers from the steps.)
 */
export function transposeFunction(): WasmFunction {
  const to = 2;
  const rows = [3, 4, 5, 6] as const;
  const [lowPair, highPair, lowOther, highOther] = [7, 8, 9, 10];
  const turn: number[] = [];
  const pair = (
    [left, right]: readonly [number, number],
    words: readonly [number, number, number, number],
  ): Code => [...getLocal(left), ...getLocal(right), ...wordShuffle(words)];
  for (let quarter = 0; quarter < MD5_BLOCK_BYTES / VECTOR_BYTES; quarter++) {
    for (let lane = 0; lane < MD5_LANES_MAX; lane++) {
      const offset = lane * LANE_STRIDE_BYTES + quarter * VECTOR_BYTES;
      turn.push(...getLocal(AT), ...v128Load(offset), ...setLocal(rows[lane] ?? 0));
    }
    turn.push(...pair([rows[0], rows[1]], [0, 4, 1, 5]), ...setLocal(lowPair));
    turn.push(...pair([rows[0], rows[1]], [2, 6, 3, 7]), ...setLocal(highPair));
    turn.push(...pair([rows[2], rows[3]], [0, 4, 1, 5]), ...setLocal(lowOther));
    turn.push(...pair([rows[2], rows[3]], [2, 6, 3, 7]), ...setLocal(highOther));
    const columns = [
      pair([lowPair, lowOther], [0, 1, 4, 5]),
      pair([lowPair, lowOther], [2, 3, 6, 7]),
      pair([highPair, highOther], [0, 1, 4, 5]),
      pair([highPair, highOther], [2, 3, 6, 7]),
    ];
    for (const [index, column] of columns.entries()) {
      const offset = (4 * quarter + index) * VECTOR_BYTES;
      turn.push(...getLocal(to), ...column, ...v128Store(offset));
    }
  }
  return {
    name: "transpose",
    parameters: [I32, I32, I32],
    results: [],
    locals: Array.from({ length: 8 }, () => V128),
    body: eachBlock([
      ...turn,
      ...advance(AT, MD5_BLOCK_BYTES),
      ...advance(to, TRANSPOSED_BLOCK_BYTES),
    ]),
  };
}

interface Operations {
  readonly and: Code;
  /** Of a and b on the stack: a and not b. */
  readonly andnot: Code;
  readonly not: Code;
  readonly or: Code;
  readonly xor: Code;
  readonly add: Code;
}

const SCALAR_NOT: Code = [...i32Const(-1), ...op.i32Xor];
const SCALAR: Operations = {
  and: op.i32And,
  andnot: [...SCALAR_NOT, ...op.i32And],
  not: SCALAR_NOT,
  or: op.i32Or,
  xor: op.i32Xor,
  add: op.i32Add,
};
const VECTOR: Operations = {
  and: op.v128And,
  andnot: op.v128Andnot,
  not: op.v128Not,
  or: op.v128Or,
  xor: op.v128Xor,
  add: op.i32x4Add,
};

interface Registers {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** Instead of moving the four words on after a step, the next step takes them in turned order. */
function turnedRegisters(step: number, register: (word: number) => number): Registers {
  const turned = (word: number): number => register((word + 4 - (step % 4)) % 4);
  return { a: turned(0), b: turned(1), c: turned(2), d: turned(3) };
}

/**
 * Adds the step's function of b, c and d to the sum on the stack. The last step made b: what can be done without it comes
 * first. In round 1 the two halves have no bit in common, so that both may be added.
 */
function mix({ round }: Md5Step, { b, c, d }: Registers, on: Operations): Code {
  const [fromB, fromC, fromD] = [getLocal(b), getLocal(c), getLocal(d)];
  if (round === 0) {
    return [...fromC, ...fromD, ...on.xor, ...fromB, ...on.and, ...fromD, ...on.xor, ...on.add];
  }
  if (round === 1) {
    const withoutB = [...fromC, ...fromD, ...on.andnot, ...on.add];
    return [...withoutB, ...fromB, ...fromD, ...on.and, ...on.add];
  }
  if (round === 2) return [...fromC, ...fromD, ...on.xor, ...fromB, ...on.xor, ...on.add];
  return [...fromD, ...on.not, ...fromB, ...on.or, ...fromC, ...on.xor, ...on.add];
}

function eachBlock(turn: Code): Code {
  return whileLoop([...getLocal(AT), ...getLocal(END), ...op.i32LtU], turn);
}

function advance(local: number, bytes: number): Code {
  return [...getLocal(local), ...i32Const(bytes), ...op.i32Add, ...setLocal(local)];
}
