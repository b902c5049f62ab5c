import { expect, test } from "bun:test";
import { CHUNK_SCRATCH_BYTES, CHUNK_SIZE_BYTES } from "@kelp/wire";
import { openTreeWorld, noise, write } from "../testing/world-steps.ts";
import { ReadBudget } from "./read-budget.ts";
import { readEntry } from "./chunk-reader.ts";

const ENTRY_BYTES = 5 * CHUNK_SIZE_BYTES + 70_000;

test("memory has one lease at a time, and leases beyond the budget get memory of their own", () => {
  const budget = new ReadBudget(2 * CHUNK_SCRATCH_BYTES);
  const leases = [1, 2, 3].map(() => budget.take(CHUNK_SIZE_BYTES, "lent"));
  expect(new Set(leases.map((lease) => lease.scratch?.buffer)).size).toBe(3);
  expect(budget.tryTake(CHUNK_SIZE_BYTES, "lent")).toBeUndefined();
  for (const lease of leases) {
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
  }
  expect([budget.usedBytes, budget.idleBytes]).toEqual([0, 2 * CHUNK_SCRATCH_BYTES]);
  const again = [1, 2].map(() => budget.take(CHUNK_SIZE_BYTES, "lent"));
  expect(new Set(again.map((lease) => lease.scratch?.buffer)).size).toBe(2);
});

test("small chunks and kept pieces are read into fresh memory", () => {
  const budget = new ReadBudget(CHUNK_SCRATCH_BYTES);
  expect(budget.take(20_000, "lent").scratch).toBeUndefined();
  expect(budget.take(CHUNK_SIZE_BYTES, "kept").scratch).toBeUndefined();
});

test("a lent piece holds its bytes until the next is asked for, and readers never share memory", async () => {
  using world = await openTreeWorld();
  const body = noise(ENTRY_BYTES);
  const entry = await write(world, "a", body);
  const budget = new ReadBudget(4 * CHUNK_SCRATCH_BYTES, (bytes) => bytes.fill(0xdd));
  const range = { start: 3, end: ENTRY_BYTES - 3 };
  const deps = { sealing: undefined, volumes: world.volumes, budget };
  const readers = [1, 2, 3].map(() => readEntry(deps, entry, { range, pieces: "lent" }));
  const readBytes = [0, 0, 0];
  for (let isMore = true; isMore;) {
    isMore = false;
    const pieces = await Promise.all(readers.map((reader) => reader.next()));
    for (const [index, piece] of pieces.entries()) {
      if (piece.done === true) continue;
      isMore = true;
      const at = range.start + (readBytes[index] ?? 0);
      expect(Buffer.compare(piece.value, body.subarray(at, at + piece.value.length))).toBe(0);
      readBytes[index] = (readBytes[index] ?? 0) + piece.value.length;
    }
  }
  const whole = range.end - range.start;
  expect([readBytes, budget.usedBytes]).toEqual([[whole, whole, whole], 0]);
});

test("memory of a read that was abandoned comes back only when the disk is done with it", async () => {
  using world = await openTreeWorld();
  const entry = await write(world, "a", noise(ENTRY_BYTES));
  const budget = new ReadBudget(4 * CHUNK_SCRATCH_BYTES);
  const deps = { sealing: undefined, volumes: world.volumes, budget };
  const range = { start: 0, end: ENTRY_BYTES };
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let readCount = 0;
  world.volumes.beforeRead = () => (readCount++ === 0 ? undefined : held);
  const reader = readEntry(deps, entry, { range, pieces: "lent" });
  await reader.next();
  await reader.return(undefined);
  await Promise.resolve();
  expect([budget.usedBytes, budget.idleBytes]).toEqual([2 * CHUNK_SIZE_BYTES, CHUNK_SCRATCH_BYTES]);
  const settled = world.volumes.read(
    entry.content.kind === "chunks" ? firstFid(entry.content.chunks) : neverFid(),
  );
  release();
  await settled;
  await Promise.resolve();
  expect([budget.usedBytes, budget.idleBytes]).toEqual([0, 3 * CHUNK_SCRATCH_BYTES]);
});

function firstFid<Fid>(chunks: readonly { readonly fid: Fid }[]): Fid {
  const first = chunks[0];
  if (first === undefined) throw new Error("a chunk is wanted");
  return first.fid;
}

function neverFid(): never {
  throw new Error("chunks are wanted");
}
