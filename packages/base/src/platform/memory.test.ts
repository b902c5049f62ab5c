import { expect, test } from "bun:test";
import { heapStats } from "bun:jsc";
import { systemHashes } from "./hash.ts";
import { reclaimMemory } from "./memory.ts";

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
