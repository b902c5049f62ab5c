import { createHash } from "node:crypto";
import { expect, test } from "bun:test";
import { array, assert, integer, property, uint8Array } from "fast-check";
import { moveMd5Lanes } from "./md5-kernels.ts";
import { MD5_LANES_MAX, MD5_PIECE_BYTES } from "./md5-memory.ts";
import { MD5_BLOCK_BYTES, MD5_INITIAL_STATE, moveMd5Scalar } from "./md5-scalar.ts";

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => ((index + seed) * 2_654_435_761) >>> 11);
}

function scalarTwin(state: Int32Array, bytes: Uint8Array): Int32Array<ArrayBuffer> {
  const moved = Int32Array.from(state);
  moveMd5Scalar(moved, bytes);
  return moved;
}

test("the scalar twin over one padded block is MD5", () => {
  const block = new Uint8Array(MD5_BLOCK_BYTES);
  block.set(new TextEncoder().encode("abc"));
  block[3] = 0x80;
  block[56] = 24;
  const state = Int32Array.from(MD5_INITIAL_STATE);
  moveMd5Scalar(state, block);
  expect(Buffer.from(state.buffer).toString("hex")).toBe(
    createHash("md5").update("abc").digest("hex"),
  );
});

test.each([1, 2, 3, 4])("%i lanes agree with the scalar twin around a piece", (laneCount) => {
  for (const blocks of [0, 1, 2, 5]) {
    for (const around of [0, MD5_PIECE_BYTES, 3 * MD5_PIECE_BYTES]) {
      const lanes = Array.from({ length: laneCount }, (_, lane) => ({
        state: Int32Array.of(lane, -lane, 0x7fff_ffff, lane * 77),
        bytes: pattern(around + blocks * MD5_BLOCK_BYTES, lane),
      }));
      const expected = lanes.map(({ state, bytes }) => scalarTwin(state, bytes));
      moveMd5Lanes(lanes);
      expect(lanes.map(({ state }) => state)).toEqual(expected);
    }
  }
});

test("lanes of any states and lengths, side by side, agree with the scalar twin", () => {
  const lane = property(
    array(
      uint8Array({ maxLength: 700 }).chain((bytes) =>
        array(integer(), { minLength: 4, maxLength: 4 }).map((words) => ({
          state: Int32Array.from(words),
          bytes: bytes.subarray(0, bytes.length - (bytes.length % MD5_BLOCK_BYTES)),
        })),
      ),
      { maxLength: MD5_LANES_MAX },
    ),
    (lanes) => {
      const expected = lanes.map(({ state, bytes }) => scalarTwin(state, bytes));
      moveMd5Lanes(lanes);
      expect(lanes.map(({ state }) => state)).toEqual(expected);
    },
  );
  assert(lane, { numRuns: 500 });
});

test("bytes of shared memory are hashed where they are", () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(64 * 1024));
  bytes.set(pattern(bytes.length, 3));
  const state = Int32Array.from(MD5_INITIAL_STATE);
  const expected = scalarTwin(state, bytes);
  moveMd5Lanes([{ state, bytes: bytes.subarray(0, 4096) }]);
  moveMd5Lanes([{ state, bytes: bytes.subarray(4096) }]);
  expect(state).toEqual(expected);
});
