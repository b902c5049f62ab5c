import { HOLDS_MAX } from "../limits.ts";

/**
 * While something is held no chunk is freed, so whatever an entry names when the hold begins can be read until it ends. Chunks
 * that a round of the collector is freeing just then were named by nothing before.
 */
export class CollectorHolds {
  #count = 0;

  get isHeld(): boolean {
    return this.#count > 0;
  }

  /** Ending it twice is harmless. `undefined` when too many are held. */
  hold(): Disposable | undefined {
    if (this.#count >= HOLDS_MAX) return undefined;
    this.#count += 1;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#count -= 1;
        isHeld = false;
      },
    };
  }
}
