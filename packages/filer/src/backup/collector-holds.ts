import { HOLDS_MAX } from "../limits.ts";

/** While something is held no round of the collector frees chunks, so whatever is named then can be read until it ends. */
export class CollectorHolds {
  readonly #runningRound: () => Promise<unknown> | undefined;
  #count = 0;

  /** `runningRound` gives the round that is under way, if one is. */
  constructor(runningRound: () => Promise<unknown> | undefined) {
    this.#runningRound = runningRound;
  }

  get isHeld(): boolean {
    return this.#count > 0;
  }

  /**
   * Resolves when nothing is being freed any more: a round that is under way has taken up what was garbage before, and with a
   * manifest goes what it lists, which is named until then. Ending it twice is harmless. `undefined` when too many are held.
   */
  async hold(): Promise<Disposable | undefined> {
    if (this.#count >= HOLDS_MAX) return undefined;
    this.#count += 1;
    let isHeld = true;
    // However the round ends, whoever began it is told.
    await this.#runningRound()?.catch(() => undefined);
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#count -= 1;
        isHeld = false;
      },
    };
  }
}
