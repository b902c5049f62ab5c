import { assert } from "@kelp/base";
import type { HotEntry } from "./hot-entries.ts";

/** The place of an entry in a queue. */
export interface Link {
  readonly hot: HotEntry;
  readonly sizeBytes: number;
  older: Link | undefined;
  newer: Link | undefined;
}

/**
 * Entries in the order in which they came, and the bytes that they take. A list of links rather than a map: taking out the oldest of
 * a map steps over all that were taken out before.
 */
export class SizedQueue {
  readonly #bytesMax: number;
  #oldest: Link | undefined;
  #newest: Link | undefined;
  #bytes = 0;
  /** Whether something had to make room already. */
  isFull = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Callers must take out what is too much: `overflow`. */
  add(hot: HotEntry, sizeBytes: number): Link {
    const link: Link = { hot, sizeBytes, older: this.#newest, newer: undefined };
    if (this.#newest === undefined) this.#oldest = link;
    else this.#newest.newer = link;
    this.#newest = link;
    this.#bytes += sizeBytes;
    return link;
  }

  /** Takes out the oldest as long as there is too much, in the end the newest itself. */
  overflow(): HotEntry | undefined {
    if (this.#bytes <= this.#bytesMax || this.#oldest === undefined) return undefined;
    this.isFull = true;
    const { hot } = this.#oldest;
    this.remove(this.#oldest);
    return hot;
  }

  /** Once for each link. */
  remove(link: Link): void {
    const { older, newer } = link;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    this.#bytes -= link.sizeBytes;
    assert(this.#bytes >= 0, "what is taken out was counted");
  }

  clear(): void {
    this.#oldest = undefined;
    this.#newest = undefined;
    this.#bytes = 0;
    this.isFull = false;
  }
}
