import { assert } from "@kelp/base";

/** The place of something in a queue. */
export interface Link<Value> {
  readonly value: Value;
  readonly sizeBytes: number;
  older: Link<Value> | undefined;
  newer: Link<Value> | undefined;
}

/**
 * Things in the order in which they came, and the bytes that they take. A list of links rather than a map: taking out the oldest of
 * a map steps over all that were taken out before.
 */
export class SizedQueue<Value> {
  readonly #bytesMax: number;
  #oldest: Link<Value> | undefined;
  #newest: Link<Value> | undefined;
  #bytes = 0;
  /** Whether something had to make room already. */
  isFull = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Callers must take out what is too much: `overflow`. */
  add(value: Value, sizeBytes: number): Link<Value> {
    const link: Link<Value> = { value, sizeBytes, older: this.#newest, newer: undefined };
    if (this.#newest === undefined) this.#oldest = link;
    else this.#newest.newer = link;
    this.#newest = link;
    this.#bytes += sizeBytes;
    return link;
  }

  /** Takes out the oldest as long as there is too much, in the end the newest itself. */
  overflow(): Value | undefined {
    if (this.#bytes <= this.#bytesMax || this.#oldest === undefined) return undefined;
    this.isFull = true;
    const { value } = this.#oldest;
    this.remove(this.#oldest);
    return value;
  }

  /** Once for each link. */
  remove(link: Link<Value>): void {
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
