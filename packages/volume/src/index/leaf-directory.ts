import { assert } from "@kelp/base";
import type { IndexLeaf } from "./index-leaf.ts";

const CAPACITY_MIN = 8;

/** The leaves of an index in the order of their ids, with the first id of each in typed arrays for searching. */
export class LeafDirectory {
  readonly #leaves: IndexLeaf[] = [];
  #highs = new Uint32Array(CAPACITY_MIN);
  #lows = new Uint32Array(CAPACITY_MIN);

  /** Borrowed: it changes with the directory. */
  get leaves(): readonly IndexLeaf[] {
    return this.#leaves;
  }

  get memoryBytes(): number {
    return this.#highs.byteLength + this.#lows.byteLength;
  }

  /** Place of the leaf in whose stretch the id lies; that of the first for ids below all; -1 when there is none. */
  indexOf(idHigh: number, idLow: number): number {
    const highs = this.#highs;
    const lows = this.#lows;
    let from = 0;
    let to = this.#leaves.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const high = highs[middle] ?? 0;
      const isAbove = high > idHigh || (high === idHigh && (lows[middle] ?? 0) > idLow);
      if (isAbove) to = middle;
      else from = middle + 1;
    }
    return from === 0 ? Math.min(0, this.#leaves.length - 1) : from - 1;
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
    this.update(index + 1);
  }

  /** The first id of the leaf is another now. */
  update(index: number): void {
    const leaf = this.#leaves[index];
    assert(leaf !== undefined, "a directory knows the leaf");
    this.#highs[index] = leaf.high(0);
    this.#lows[index] = leaf.low(0);
  }

  #reserve(): void {
    if (this.#leaves.length <= this.#highs.length) return;
    const capacity = this.#highs.length * 2;
    const highs = new Uint32Array(capacity);
    const lows = new Uint32Array(capacity);
    highs.set(this.#highs);
    lows.set(this.#lows);
    this.#highs = highs;
    this.#lows = lows;
  }
}
