import { type Permit, Semaphore, assert } from "@kelp/base";
import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import { IdleBuffers } from "./idle-buffers.ts";

/**
 * The buffers in which bodies become chunks, for the whole process. A body holds at most one buffer while it waits for its
 * source, and none while it waits for a buffer, so bodies cannot lock each other out for good.
 */
export class WriteBudget {
  readonly #permits: Semaphore;
  /** Those that nobody uses. */
  readonly idle = new IdleBuffers();

  constructor(budgetBytes: number) {
    assert(budgetBytes >= CHUNK_SIZE_BYTES, "the budget holds a chunk");
    this.#permits = new Semaphore(Math.floor(budgetBytes / CHUNK_SIZE_BYTES));
  }

  /** Waits for a buffer of `CHUNK_SIZE_BYTES`. Its content is undefined. */
  async take(): Promise<ChunkBuffer> {
    const permit = await this.#permits.acquire();
    // Shared, so that another thread can hash them where they are.
    const bytes = this.idle.take() ?? new Uint8Array(new SharedArrayBuffer(CHUNK_SIZE_BYTES));
    return new ChunkBuffer(bytes, permit, this.idle);
  }

  get takenCount(): number {
    return this.#permits.used;
  }
}

/** A lent buffer. Giving it back twice is harmless. */
export class ChunkBuffer implements Disposable {
  readonly bytes: Uint8Array;
  readonly #permit: Permit;
  readonly #idle: IdleBuffers;
  #isLent = true;

  constructor(bytes: Uint8Array, permit: Permit, idle: IdleBuffers) {
    this.bytes = bytes;
    this.#permit = permit;
    this.#idle = idle;
  }

  [Symbol.dispose](): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    this.#idle.give(this.bytes);
    this.#permit[Symbol.dispose]();
  }
}
