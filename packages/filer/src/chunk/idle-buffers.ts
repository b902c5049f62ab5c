/** Buffers that nobody uses at the moment, kept for whoever needs one next. */
export class IdleBuffers {
  #buffers: Uint8Array[] = [];
  #isUsed = false;

  get count(): number {
    return this.#buffers.length;
  }

  get sizeBytes(): number {
    return this.#buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  }

  /** `undefined` when there is none. */
  take(): Uint8Array | undefined {
    this.#isUsed = true;
    return this.#buffers.pop();
  }

  give(buffer: Uint8Array): void {
    this.#isUsed = true;
    this.#buffers.push(buffer);
  }

  /** Whether a buffer came or went since the last call. */
  wasUsed(): boolean {
    const wasUsed = this.#isUsed;
    this.#isUsed = false;
    return wasUsed;
  }

  release(): void {
    this.#buffers = [];
  }
}

/**
 * Forgets the buffers of all pools when none of them was used since the last call and they take more than `keptBytes`; returns their
 * bytes. All or nothing: to collect what is released costs as much whatever it is, and should be seldom.
 */
export function releaseUnused(pools: readonly IdleBuffers[], keptBytes: number): number {
  const areUsed = pools.map((pool) => pool.wasUsed());
  const idleBytes = pools.reduce((sum, pool) => sum + pool.sizeBytes, 0);
  if (areUsed.includes(true) || idleBytes <= keptBytes) return 0;
  for (const pool of pools) pool.release();
  return idleBytes;
}
