import { LEAF_COPIES_MAX } from "../limits.ts";
import type { IndexLeaf } from "./index-leaf.ts";

export interface IndexCounters {
  readonly liveCount: number;
  readonly liveBytes: number;
  readonly deletedCount: number;
  readonly deletedBytes: number;
  readonly needleIdMax: bigint;
}

/**
 * An index as it was when the snapshot was taken, while the index goes on changing: a leaf that changes is
 * copied first, and the snapshot keeps the earlier one. Whoever takes it releases it.
 */
export class IndexSnapshot implements Disposable {
  readonly counters: IndexCounters;
  readonly entryCount: number;
  /** In the order of ids. Whoever is done with one may put `undefined` in its place to free it. */
  readonly leaves: (IndexLeaf | undefined)[];
  readonly #onRelease: () => void;
  #copyCount = 0;

  constructor(
    index: { readonly counters: IndexCounters; readonly entryCount: number },
    leaves: readonly IndexLeaf[],
    onRelease: () => void,
  ) {
    this.counters = index.counters;
    this.entryCount = index.entryCount;
    this.leaves = [...leaves];
    this.#onRelease = onRelease;
  }

  /** More than `LEAF_COPIES_MAX` leaves had to be copied, so it was given up: its leaves are not those of one moment. */
  get isLost(): boolean {
    return this.#copyCount > LEAF_COPIES_MAX;
  }

  /** For the index. */
  countCopy(): void {
    this.#copyCount++;
    if (this.isLost) this.release();
  }

  /** Twice is harmless. */
  release(): void {
    this.leaves.length = 0;
    this.#onRelease();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
