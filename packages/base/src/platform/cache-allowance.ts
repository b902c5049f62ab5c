const MIB = 1024 * 1024;

/** What may be written through the page cache in one go, and by how much that grows again. */
const BURST_BYTES = 256 * MIB;
const BYTES_PER_MS = (25 * MIB) / 1000;

/**
 * How much of large writes the page cache is to take. What is written now and then is likely to be read soon, as a step of a pipeline
 * reads what the last one made, and is found in memory. A bulk load is not, and would drive out what is.
 */
export class CacheAllowance {
  readonly #nowMs: () => number;
  #leftBytes = BURST_BYTES;
  #seenMs: number;

  /** `nowMs`: milliseconds from any start, never going back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#seenMs = nowMs();
  }

  /** Whether so many bytes are to go through the cache: then they are taken off. */
  take(sizeBytes: number): boolean {
    const nowMs = this.#nowMs();
    const grownBytes = (nowMs - this.#seenMs) * BYTES_PER_MS;
    this.#leftBytes = Math.min(BURST_BYTES, this.#leftBytes + grownBytes);
    this.#seenMs = nowMs;
    if (sizeBytes > this.#leftBytes) return false;
    this.#leftBytes -= sizeBytes;
    return true;
  }
}
