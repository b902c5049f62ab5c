import { assert } from "./assert.ts";
import type { Clock } from "./clock.ts";

/** Requests are counted over stretches of this length; those of the last two are remembered. */
const STRETCH_MS = 100;
/** So many requests within what is remembered, some hundred in a second, are heavy load. */
const HEAVY_COUNT = 20;

/** `none`: nobody is served, nor was a moment ago. */
export type ForegroundLoad = "none" | "light" | "heavy";

/**
 * How many wait for the process. Doors tell of each request; background work asks, and gives way. Others of the program that serve
 * requests in processes of their own tell how many came, now and then.
 */
export class Foreground {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #inFlight = 0;
  #stretchStartMs: number;
  #count = 0;
  /** Of the stretch before. */
  #countBefore = 0;
  #totalCount = 0;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#stretchStartMs = clock.monotonicMs();
  }

  /** As it is now, and was a moment ago: background work does not rush into a gap. */
  get load(): ForegroundLoad {
    this.#turnOver();
    const count = this.#count + this.#countBefore;
    if (count >= HEAVY_COUNT) return "heavy";
    return count > 0 || this.#inFlight > 0 ? "light" : "none";
  }

  /** Requests that ever came. */
  get totalCount(): number {
    return this.#totalCount;
  }

  /** A request came. Callers must `leave` once for each. */
  enter(): void {
    this.#inFlight++;
    this.came(1);
  }

  leave(): void {
    assert(this.#inFlight > 0, "a request that leaves has come");
    this.#inFlight--;
  }

  /** So many requests came to somebody else of the program. */
  came(count: number): void {
    this.#turnOver();
    this.#count += count;
    this.#totalCount += count;
  }

  #turnOver(): void {
    const nowMs = this.#clock.monotonicMs();
    const ageMs = nowMs - this.#stretchStartMs;
    if (ageMs < STRETCH_MS) return;
    this.#countBefore = ageMs < 2 * STRETCH_MS ? this.#count : 0;
    this.#count = 0;
    this.#stretchStartMs = nowMs;
  }
}
