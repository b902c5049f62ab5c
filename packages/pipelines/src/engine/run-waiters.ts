/** Wakes those who wait for a run to change. One entry per caller that waits, gone when it was woken or gave up. */
export class RunWaiters {
  readonly #waiting = new Map<string, Set<() => void>>();
  #isClosed = false;

  /** Resolves at the next change of a run, when `signal` aborts, or when this is closed. */
  changed(runId: string, signal?: AbortSignal): Promise<void> {
    if (this.#isClosed || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(runId) ?? new Set();
      this.#waiting.set(runId, waiting);
      const done = (): void => {
        waiting.delete(done);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      waiting.add(done);
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  notify(runId: string): void {
    const waiting = this.#waiting.get(runId);
    this.#waiting.delete(runId);
    for (const wake of waiting ?? []) wake();
  }

  close(): void {
    this.#isClosed = true;
    for (const runId of this.#waiting.keys()) this.notify(runId);
  }
}
