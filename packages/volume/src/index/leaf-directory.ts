import { assert } from "@kelp/base";
import type { IndexLeaf } from "./index-leaf.ts";
import { WORD } from "./packed-number.ts";

const CAPACITY_MIN = 8;
const GUESSES = 3;

/** The leaves of an index in the order of their ids, with the first id of each in typed arrays for searching. */
export class LeafDirectory {
  readonly #leaves: IndexLeaf[] = [];
  #highs = new Uint32Array(CAPACITY_MIN);
  #lows = new Uint32Array(CAPACITY_MIN);
  /** The same ids as one number each, rounded above 2⁵³: for searching with one read a step. */
  #firsts = new Float64Array(CAPACITY_MIN);

  /** Borrowed: it changes with the directory. */
  get leaves(): readonly IndexLeaf[] {
    return this.#leaves;
  }

  get memoryBytes(): number {
    return this.#highs.byteLength + this.#lows.byteLength + this.#firsts.byteLength;
  }

  /** Place of the leaf in whose stretch the id lies; that of the first for ids below all; -1 when there is none. */
  indexOf(idHigh: number, idLow: number): number {
    const count = this.#leaves.length;
    if (count < 2) return count - 1;
    const firsts = this.#firsts;
    const key = idHigh * WORD + idLow;
    let from = 0;
    let to = count;
    let below = firsts[0] ?? 0;
    let above = firsts[count - 1] ?? 0;
    if (key < below) return 0;
    // As in a leaf, a guess or two is close.
    for (let guesses = 0; guesses < GUESSES && from < to; guesses++) {
      const share = Math.min(1, (key - below) / (above - below + 1));
      const middle = Math.min(to - 1, from + Math.floor(share * (to - from)));
      const value = firsts[middle] ?? 0;
      if (value > key) {
        to = middle;
        above = value;
      } else {
        from = middle + 1;
        below = value;
      }
    }
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((firsts[middle] ?? 0) > key) to = middle;
      else from = middle + 1;
    }
    // Rounding makes ids equal that are not, but never turns their order around.
    while (from > 1 && this.#isFirstAbove(from - 1, idHigh, idLow)) from--;
    return Math.max(0, from - 1);
  }

  #isFirstAbove(index: number, idHigh: number, idLow: number): boolean {
    const high = this.#highs[index] ?? 0;
    return high > idHigh || (high === idHigh && (this.#lows[index] ?? 0) > idLow);
  }

  leafOf(idHigh: number, idLow: number): IndexLeaf | undefined {
    return this.#leaves[this.indexOf(idHigh, idLow)];
  }

  push(leaf: IndexLeaf): void {
    const index = this.#leaves.length;
    this.#leaves.push(leaf);
    this.#reserve();
    this.update(index);
  }

  /** Puts one or two leaves, which hold the same ids, in the place of one. */
  replace(index: number, leaves: readonly [IndexLeaf] | readonly [IndexLeaf, IndexLeaf]): void {
    const [first, second] = leaves;
    this.#leaves[index] = first;
    if (second === undefined) return;
    const count = this.#leaves.length;
    this.#leaves.splice(index + 1, 0, second);
    this.#reserve();
    this.#highs.copyWithin(index + 2, index + 1, count);
    this.#lows.copyWithin(index + 2, index + 1, count);
    this.#firsts.copyWithin(index + 2, index + 1, count);
    this.update(index + 1);
  }

  /** The first id of the leaf is another now. */
  update(index: number): void {
    const leaf = this.#leaves[index];
    assert(leaf !== undefined, "a directory knows the leaf");
    this.#highs[index] = leaf.high(0);
    this.#lows[index] = leaf.low(0);
    this.#firsts[index] = leaf.high(0) * WORD + leaf.low(0);
  }

  #reserve(): void {
    if (this.#leaves.length <= this.#highs.length) return;
    const capacity = this.#highs.length * 2;
    const highs = new Uint32Array(capacity);
    const lows = new Uint32Array(capacity);
    highs.set(this.#highs);
    lows.set(this.#lows);
    const firsts = new Float64Array(capacity);
    firsts.set(this.#firsts);
    this.#highs = highs;
    this.#lows = lows;
    this.#firsts = firsts;
  }
}
