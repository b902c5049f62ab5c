import { assert } from "@kelp/base";
import { CHUNK_SCRATCH_BYTES, CHUNK_SIZE_BYTES } from "@kelp/wire";
import { IdleBuffers } from "./idle-buffers.ts";

/** Whether the bytes read are lent, in memory that is used again, or kept by whoever asked. */
export type PieceOwner = "kept" | "lent";

/**
 * The chunks that all readers have in hand or on their way. Reading ahead is refused when the budget is used up; the one
 * chunk that a reader waits for never is: without budget a reader reads one chunk at a time.
 *
 * Invariants:
 * - a buffer is idle or has one lease, never both;
 * - idle buffers take no more than `capacityBytes`.
 */
export class ReadBudget {
  readonly capacityBytes: number;
  /** Those that nobody uses. */
  readonly idle = new IdleBuffers();
  readonly #onIdle: (bytes: Uint8Array) => void;
  #usedBytes = 0;

  /** `onIdle` sees each lent buffer when nobody may look at it any more: tests overwrite it. */
  constructor(capacityBytes: number, onIdle: (bytes: Uint8Array) => void = () => undefined) {
    this.capacityBytes = capacityBytes;
    this.#onIdle = onIdle;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get idleBytes(): number {
    return this.idle.count * CHUNK_SCRATCH_BYTES;
  }

  /** Room for a chunk that is waited for, beyond the budget if need be. */
  take(sizeBytes: number, owner: PieceOwner): ReadLease {
    this.#usedBytes += sizeBytes;
    const scratch = owner === "lent" ? this.#scratch(sizeBytes) : undefined;
    return new ReadLease(scratch, () => this.#give(sizeBytes, scratch));
  }

  /** Room for a chunk that may be wanted; `undefined` when the budget is used up. */
  tryTake(sizeBytes: number, owner: PieceOwner): ReadLease | undefined {
    if (this.#usedBytes + sizeBytes > this.capacityBytes) return undefined;
    return this.take(sizeBytes, owner);
  }

  /** Only for chunks that fill it well: a small one is better off with memory of its own size. */
  #scratch(sizeBytes: number): Uint8Array | undefined {
    if (sizeBytes > CHUNK_SIZE_BYTES || sizeBytes < SCRATCH_CHUNK_BYTES_MIN) return undefined;
    return this.idle.take() ?? Buffer.allocUnsafeSlow(CHUNK_SCRATCH_BYTES);
  }

  #give(sizeBytes: number, scratch: Uint8Array | undefined): void {
    this.#usedBytes -= sizeBytes;
    assert(this.#usedBytes >= 0, "what is given back was taken");
    if (scratch === undefined) return;
    this.#onIdle(scratch);
    if (this.idleBytes + CHUNK_SCRATCH_BYTES <= this.capacityBytes) this.idle.give(scratch);
  }
}

/** Smaller chunks are read into fresh memory. */
const SCRATCH_CHUNK_BYTES_MIN = CHUNK_SIZE_BYTES / 4;

/** Room for one chunk. Giving it back twice is harmless. */
export class ReadLease implements Disposable {
  /** Where the chunk is to be read, if its bytes are lent. */
  readonly scratch: Uint8Array | undefined;
  readonly #give: () => void;
  #isHeld = true;

  constructor(scratch: Uint8Array | undefined, give: () => void) {
    this.scratch = scratch;
    this.#give = give;
  }

  [Symbol.dispose](): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#give();
  }
}
