import { assert } from "../assert.ts";

/** MD5 (RFC 1321) block by block in plain TypeScript: for a block or two, and what the kernels are tested against. */

export const MD5_BLOCK_BYTES = 64;
export const MD5_STATE_WORDS = 4;

/** Section 3.3: the state before the first block. */
export const MD5_INITIAL_STATE: readonly number[] = [
  0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476,
];

/** Section 3.4: by how much the four steps of each round's turn rotate. */
const ROTATIONS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;

export interface Md5Step {
  readonly round: number;
  /** Which of the block's words is added. */
  readonly word: number;
  readonly rotation: number;
  /** Section 3.4: 2³² · |sin(step + 1)|, as a signed number. */
  readonly addend: number;
}

/** The 64 steps of a block. */
export const MD5_STEPS: readonly Md5Step[] = Array.from({ length: 64 }, (_, step) => {
  const round = step >> 4;
  return {
    round,
    word: wordOf(round, step),
    rotation: ROTATIONS[round]?.[step % 4] ?? 0,
    addend: Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32) | 0,
  };
});

/** Moves `state` over `bytes`, which are whole blocks. */
export function moveMd5Scalar(state: Int32Array, bytes: Uint8Array): void {
  assert(state.length === MD5_STATE_WORDS, "a state is four words");
  assert(bytes.length % MD5_BLOCK_BYTES === 0, "MD5 moves over whole blocks");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += MD5_BLOCK_BYTES) moveOverBlock(state, view, at);
}

function moveOverBlock(state: Int32Array, view: DataView, at: number): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const { round, word, rotation, addend } of MD5_STEPS) {
    const sum = a + mixed(round, b, c, d) + addend + view.getInt32(at + 4 * word, true);
    const rotated = (sum << rotation) | ((sum | 0) >>> (32 - rotation));
    [a, b, c, d] = [d, (b + rotated) | 0, b, c];
  }
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
}

function wordOf(round: number, step: number): number {
  if (round === 0) return step;
  if (round === 1) return (5 * step + 1) % 16;
  if (round === 2) return (3 * step + 5) % 16;
  return (7 * step) % 16;
}

// oxlint-disable-next-line max-params -- the four are those of the RFC
function mixed(round: number, b: number, c: number, d: number): number {
  if (round === 0) return (b & c) | (~b & d);
  if (round === 1) return (b & d) | (c & ~d);
  if (round === 2) return b ^ c ^ d;
  return c ^ (b | ~d);
}
