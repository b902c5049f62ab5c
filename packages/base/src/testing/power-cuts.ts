import { must } from "../assert.ts";
import type { DiskEvent, DiskImage } from "./disk-events.ts";
import { DurableState } from "./durable-state.ts";
import type { SeededRandom } from "./seeded-random.ts";

/**
 * The possible states of a disk at moments of its log. Moments are asked for in rising order, so that a log is walked once
 * however many cuts it is tried with.
 */
export class PowerCuts {
  readonly #events: readonly DiskEvent[];
  readonly #state: DurableState;
  #at = 0;

  /** `start` is durable from the beginning. */
  constructor(start: DiskImage, events: readonly DiskEvent[]) {
    this.#events = events;
    this.#state = new DurableState(start);
  }

  /** One of the states in which the power, lost after the first `moment` events, can leave the disk. */
  cut(moment: number, random: SeededRandom): DiskImage {
    if (moment < this.#at) throw new Error("Cannot cut: moments are asked for in rising order");
    for (; this.#at < moment; this.#at += 1) {
      this.#state.apply(must(this.#events[this.#at]), this.#at);
    }
    return this.#state.lose(random);
  }
}
