import { expect, test } from "bun:test";
import { heapStats } from "bun:jsc";
import { systemHashes } from "./hash.ts";
import { reclaimMemory } from "./memory.ts";
import { PageMemory } from "./page-memory.ts";

const BUFFER_BYTES = 4 * 1024 * 1024;
const BUFFER_COUNT = 16;

test("buffers that were hashed on the thread are given back, and hashing goes on", async () => {
  reclaimMemory();
  const beforeBytes = heapStats().extraMemorySize;
  await hashBuffers();
  reclaimMemory();
  // What a look at the stack takes for a reference may keep one of them.
  expect(heapStats().extraMemorySize - beforeBytes).toBeLessThan((BUFFER_COUNT / 4) * BUFFER_BYTES);
  await hashBuffers();
});

test("memory for writes past the page cache is given back, unless it is lent", async () => {
  const lent = await PageMemory.take();
  lent.bytes.fill(5);
  const others = await Promise.all([PageMemory.take(), PageMemory.take()]);
  const buffers = new Set(others.map((memory) => memory.bytes.buffer));
  for (const memory of others) memory[Symbol.dispose]();
  reclaimMemory();
  const fresh = await Promise.all([PageMemory.take(), PageMemory.take(), PageMemory.take()]);
  expect(fresh.filter((memory) => buffers.has(memory.bytes.buffer))).toEqual([]);
  expect(new Set([lent, ...fresh].map((memory) => memory.bytes.buffer)).size).toBe(4);
  expect(lent.bytes.every((byte) => byte === 5)).toBe(true);
  for (const memory of [lent, ...fresh]) memory[Symbol.dispose]();
});

async function hashBuffers(): Promise<void> {
  const buffers = Array.from(
    { length: BUFFER_COUNT },
    () => new Uint8Array(new SharedArrayBuffer(BUFFER_BYTES)),
  );
  // On one processor there is no thread.
  using apart = systemHashes.createMd5Apart();
  for (const buffer of buffers) {
    const done = apart?.update(buffer);
    apart?.hurry();
    await done;
  }
  expect(buffers.length).toBe(BUFFER_COUNT);
}
