/** Counts reads that are with the disk, so that no file is closed under one. */
export class RunningReads {
  #count = 0;
  #idle: (() => void) | undefined;

  async during<Value>(read: () => Promise<Value>): Promise<Value> {
    this.#count++;
    try {
      return await read();
    } finally {
      this.#count--;
      if (this.#count === 0) this.#idle?.();
    }
  }

  /** Resolves when none runs. To be called once, when no new ones begin any more. */
  settled(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }
}
