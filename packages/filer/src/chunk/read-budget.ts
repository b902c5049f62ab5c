import { assert } from "@kelp/base";

/** Bytes read ahead by all readers. Nobody waits for it: without budget a reader reads one chunk at a time. */
export class ReadBudget {
  readonly capacityBytes: number;
  #usedBytes = 0;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  tryTake(sizeBytes: number): boolean {
    if (this.#usedBytes + sizeBytes > this.capacityBytes) return false;
    this.#usedBytes += sizeBytes;
    return true;
  }

  give(sizeBytes: number): void {
    this.#usedBytes -= sizeBytes;
    assert(this.#usedBytes >= 0, "what is given back was taken");
  }
}
