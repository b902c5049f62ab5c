import { expect, test } from "bun:test";
import { CHUNK_SCRATCH_BYTES, CHUNK_SIZE_BYTES } from "@kelp/wire";
import { IDLE_BUFFERS_KEPT_BYTES } from "../limits.ts";
import { noise, openTreeWorld, pieces, read, write } from "../testing/world-steps.ts";
import { IdleBuffers, releaseUnused } from "./idle-buffers.ts";

const MIB = 1024 * 1024;

function poolOf(...sizes: readonly number[]): IdleBuffers {
  const pool = new IdleBuffers();
  for (const size of sizes) pool.give(new Uint8Array(size));
  pool.wasUsed();
  return pool;
}

test("buffers that lay idle since the last call are forgotten", () => {
  const pools = [poolOf(10, 10), poolOf(7)];
  expect(releaseUnused(pools, 0)).toBe(27);
  expect(pools.map((pool) => [pool.count, pool.take()])).toEqual([
    [0, undefined],
    [0, undefined],
  ]);
});

test("while one of the pools is used, none is forgotten", () => {
  const [first, second] = [poolOf(10, 10), poolOf(7)];
  second.give(second.take() ?? new Uint8Array(1));
  expect(releaseUnused([first, second], 0)).toBe(0);
  expect(releaseUnused([first, second], 0)).toBe(27);
});

test("a few buffers are kept for good", () => {
  const pool = poolOf(10, 10);
  expect(releaseUnused([pool], 20)).toBe(0);
  expect(pool.count).toBe(2);
});

test("large bodies leave no more behind, once none came for a while, than what is kept", async () => {
  using world = await openTreeWorld();
  const body = noise(20 * MIB);
  await write(world, "a", pieces(body, MIB));
  const entry = await write(world, "b", pieces(body, MIB));
  for await (const _ of world.filer.readFile(entry, undefined, { pieces: "lent" }));
  expect(world.filer.releaseMemory()).toBe(0);
  expect(world.filer.releaseMemory()).toBeGreaterThan(IDLE_BUFFERS_KEPT_BYTES);
  expect(world.filer.releaseMemory()).toBe(0);
  expect(Buffer.compare((await read(world, "a")) ?? new Uint8Array(1), body)).toBe(0);
});

test("large bodies that come one at a time go on with the buffers that they have", async () => {
  using world = await openTreeWorld();
  const entry = await write(world, "a", noise(MIB));
  for await (const _ of world.filer.readFile(entry, undefined, { pieces: "lent" }));
  expect(IDLE_BUFFERS_KEPT_BYTES).toBe(CHUNK_SIZE_BYTES + CHUNK_SCRATCH_BYTES);
  expect([world.filer.releaseMemory(), world.filer.releaseMemory()]).toEqual([0, 0]);
});
