import { ptr } from "bun:ffi";
import { Semaphore } from "../semaphore.ts";

/** What the page cache, file systems and disks count in. */
export const PAGE_BYTES = 4096;

/** A chunk of an object and what stands around it in its volume, in whole pages. */
const MEMORY_BYTES = 2 * 1024 * 1024 + 2 * PAGE_BYTES;
/** Of the whole process. */
const MEMORIES_MAX = 4;

const permits = new Semaphore(MEMORIES_MAX);
const idle: Uint8Array[] = [];

/** Memory that begins where a page begins and ends where one ends, from which the disk can fetch by itself. Lent, one at a time to each. */
export class PageMemory implements Disposable {
  readonly bytes: Uint8Array;
  readonly #permit: Disposable;

  private constructor(bytes: Uint8Array, permit: Disposable) {
    this.bytes = bytes;
    this.#permit = permit;
  }

  /** Waits until there is one. */
  static async take(): Promise<PageMemory> {
    const permit = await permits.acquire();
    return new PageMemory(idle.pop() ?? allocate(), permit);
  }

  [Symbol.dispose](): void {
    idle.push(this.bytes);
    this.#permit[Symbol.dispose]();
  }
}

/** Lets go of what nobody uses at the moment. */
export function forgetPageMemory(): void {
  idle.length = 0;
}

function allocate(): Uint8Array {
  const memory = new Uint8Array(MEMORY_BYTES + PAGE_BYTES);
  const start = toNextPage(ptr(memory));
  return memory.subarray(start, start + MEMORY_BYTES);
}

/** How many bytes are left until a page begins. */
export function toNextPage(offset: number): number {
  return (PAGE_BYTES - (offset % PAGE_BYTES)) % PAGE_BYTES;
}
