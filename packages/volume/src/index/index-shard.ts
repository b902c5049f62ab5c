import { assert } from "@kelp/base";

/**
 * A hash table of 16-byte slots in one typed array: id high, id low, offset in units, body size.
 * Open addressing with linear probing. Invariants:
 * - a slot is empty exactly when both halves of its id are 0;
 * - slots are never emptied, so a probe may stop at the first empty one;
 * - at most `LOAD_MAX` of the slots are used. Growth by `GROWTH` keeps at least 0.85 / 1.25 = 0.68 used
 *   after the first few, hence at most 16 / 0.68 = 23.5 bytes a needle.
 */
const LOAD_MAX = 0.85;
const GROWTH = 1.25;
const SLOT_WORDS = 4;
const CAPACITY_MIN = 8;

export class IndexShard {
  #slots = new Uint32Array(CAPACITY_MIN * SLOT_WORDS);
  #capacity = CAPACITY_MIN;
  #used = 0;

  get memoryBytes(): number {
    return this.#slots.byteLength;
  }

  /** First word of the slot that holds the id, or -1. */
  find(hash: number, idHigh: number, idLow: number): number {
    const slots = this.#slots;
    let at = this.#home(hash);
    for (;;) {
      const low = slots[at + 1];
      const high = slots[at];
      if (low === idLow && high === idHigh) return at;
      if (low === 0 && high === 0) return -1;
      at += SLOT_WORDS;
      if (at === slots.length) at = 0;
    }
  }

  offsetUnits(at: number): number {
    return this.#slots[at + 2] ?? 0;
  }

  /** Signed: negative is a removed needle. */
  bodyBytes(at: number): number {
    return (this.#slots[at + 3] ?? 0) | 0;
  }

  update(at: number, offsetUnits: number, bodyBytes: number): void {
    this.#slots[at + 2] = offsetUnits;
    this.#slots[at + 3] = bodyBytes;
  }

  /** Callers must have seen that the id is absent. */
  insert(hash: number, entry: readonly [high: number, low: number, units: number, body: number]) {
    assert((entry[0] | entry[1]) !== 0, "needle id 0 marks an empty slot");
    if (this.#used + 1 > this.#capacity * LOAD_MAX) this.#grow();
    this.#place(hash, entry[0], entry[1], entry[2], entry[3]);
    this.#used++;
  }

  /** Calls `visit` with the first word of every used slot, in no order. The shard must not change meanwhile. */
  forEach(visit: (at: number, idHigh: number, idLow: number) => void): void {
    for (let at = 0; at < this.#slots.length; at += SLOT_WORDS) {
      const high = this.#slots[at] ?? 0;
      const low = this.#slots[at + 1] ?? 0;
      if ((high | low) !== 0) visit(at, high, low);
    }
  }

  // The upper bits decide, scaled to the capacity, which needs no power of two and no division.
  #home(hash: number): number {
    return Math.floor((hash * this.#capacity) / 0x1_0000_0000) * SLOT_WORDS;
  }

  #place(hash: number, high: number, low: number, units: number, body: number): void {
    const slots = this.#slots;
    let at = this.#home(hash);
    while (slots[at] !== 0 || slots[at + 1] !== 0) {
      at += SLOT_WORDS;
      if (at === slots.length) at = 0;
    }
    slots[at] = high;
    slots[at + 1] = low;
    slots[at + 2] = units;
    slots[at + 3] = body;
  }

  #grow(): void {
    const old = this.#slots;
    this.#capacity = Math.ceil(this.#capacity * GROWTH);
    this.#slots = new Uint32Array(this.#capacity * SLOT_WORDS);
    for (let at = 0; at < old.length; at += SLOT_WORDS) {
      const high = old[at] ?? 0;
      const low = old[at + 1] ?? 0;
      if ((high | low) === 0) continue;
      this.#place(hashId(high, low), high, low, old[at + 2] ?? 0, old[at + 3] ?? 0);
    }
  }
}

/** Unsigned 32 bits in which every bit of the id has a say (finisher of MurmurHash3). */
export function hashId(idHigh: number, idLow: number): number {
  let hash = idLow ^ Math.imul(idHigh, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
