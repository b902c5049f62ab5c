import { assert } from "./assert.ts";
import type { Clock } from "./clock.ts";

/** So long after the last request others are expected to follow: background work does not rush into a gap. */
const REMEMBERED_MS = 100;

/**
 * Whether anybody waits for the process. Doors tell of each request; background work asks, and gives way. Others of the program that
 * serve requests in processes of their own tell `touch` now and then while they do.
 */
export class Foreground {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #inFlight = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** A request is served now, or one was a moment ago. */
  get isBusy(): boolean {
    return this.#inFlight > 0 || this.#clock.monotonicMs() - this.#lastMs < REMEMBERED_MS;
  }

  /** A request came. Callers must `leave` once for each. */
  enter(): void {
    this.#inFlight++;
  }

  leave(): void {
    assert(this.#inFlight > 0, "a request that leaves has come");
    this.#inFlight--;
    this.touch();
  }

  /** Somebody was served a moment ago. */
  touch(): void {
    this.#lastMs = this.#clock.monotonicMs();
  }
}
