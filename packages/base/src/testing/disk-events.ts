import { must } from "../assert.ts";
import { DurableState } from "./durable-state.ts";
import type { SeededRandom } from "./seeded-random.ts";

/**
 * What happened on a disk, in order. Files are numbers: a name may come to mean another file. `before` of a sync is the
 * length of the log when the sync began: what was written meanwhile is not covered by it.
 */
export type DiskEvent =
  | { readonly kind: "make-folder"; readonly path: string }
  | { readonly kind: "create"; readonly path: string; readonly file: number }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "rename"; readonly source: string; readonly target: string }
  | { readonly kind: "sync-folder"; readonly path: string; readonly before: number }
  | {
      readonly kind: "write";
      readonly file: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "truncate"; readonly file: number; readonly sizeBytes: number }
  | { readonly kind: "sync"; readonly file: number; readonly before: number };

/** What a disk holds after the power came back: whole paths, folders with `undefined`. */
export type DiskImage = ReadonlyMap<string, Uint8Array | undefined>;

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
