import { ALIGNMENT_BYTES } from "../needle/layout.ts";
import { FILE_ORDER_COUNT_MAX, FILE_ORDER_PAUSE_COUNT } from "../limits.ts";
import type { IndexLeaf } from "./index-leaf.ts";
import type { NeedleIndex } from "./needle-index.ts";

/** Live needles that follow one another in the volume file. The arrays are used up to `count`, and borrowed until the next batch. */
export interface LiveBatch {
  readonly count: number;
  readonly idHighs: Uint32Array;
  readonly idLows: Uint32Array;
  readonly offsetBytes: Float64Array;
  readonly bodyBytes: Uint32Array;
}

export interface FileOrderOptions {
  /** Needles from here on in the volume file are left out: they came later. */
  readonly endBytes: number;
  /** Lets others have the thread; called often enough that nobody waits long. */
  readonly pause: () => Promise<void>;
  /** Needles of a batch: `FILE_ORDER_COUNT_MAX` unless fewer are wanted. */
  readonly countMax?: number;
}

/**
 * Every live needle in file order, a stretch of the file at a time, in memory for `FILE_ORDER_COUNT_MAX` needles
 * (24 bytes each). The index may change meanwhile: a needle comes as it was when its batch was gathered, so look again (`find`)
 * before relying on it; one that stays as it is comes exactly once.
 */
export async function* liveInFileOrder(
  index: NeedleIndex,
  options: FileOrderOptions,
): AsyncGenerator<LiveBatch> {
  const endUnits = options.endBytes / ALIGNMENT_BYTES;
  const countMax = Math.min(options.countMax ?? FILE_ORDER_COUNT_MAX, FILE_ORDER_COUNT_MAX);
  const batch = new Batch(Math.min(countMax, index.liveCount + 1));
  const stretches = Math.max(1, Math.ceil(index.liveCount / (batch.capacity / 2)));
  let width = Math.min(STRETCH_UNITS_MAX, Math.max(1, Math.ceil(endUnits / stretches)));
  let from = 0;
  while (from < endUnits) {
    const to = Math.min(endUnits, from + width);
    const isWhole = await gather(index, batch, { from, to }, options.pause);
    // Needles are denser here: a shorter stretch. One unit holds one needle unless the index is wrong.
    if (!isWhole && to - from > 1) {
      width = Math.max(1, Math.floor((to - from) / 2));
      continue;
    }
    if (batch.count < batch.capacity / 4) width = Math.min(STRETCH_UNITS_MAX, width * 2);
    if (batch.count > 0) yield batch.sorted();
    from = to;
  }
}

/** 2³³ units times 2¹⁸ places in a batch are numbers that a double holds exactly. */
const STRETCH_UNITS_MAX = 2 ** 33;

interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Puts the needles of a stretch into the batch; `false` when there are more than it holds. */
async function gather(
  index: NeedleIndex,
  batch: Batch,
  stretch: Stretch,
  pause: () => Promise<void>,
): Promise<boolean> {
  batch.clear(stretch.from);
  let seen = 0;
  for (const { leaf, first } of index.leavesById()) {
    if (leaf.unitsMax < stretch.from || leaf.unitsMin >= stretch.to) continue;
    if (!batch.addFrom(leaf, first, stretch)) return false;
    seen += leaf.count;
    if (seen < FILE_ORDER_PAUSE_COUNT) continue;
    seen = 0;
    await pause();
  }
  return true;
}

class Batch {
  readonly capacity: number;
  count = 0;
  #from = 0;
  /** Distance from the beginning of the stretch in units, times the capacity, plus the place in the other arrays. */
  readonly #keys: Float64Array;
  readonly #highs: Uint32Array;
  readonly #lows: Uint32Array;
  readonly #sizes: Uint32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#keys = new Float64Array(capacity);
    this.#highs = new Uint32Array(capacity);
    this.#lows = new Uint32Array(capacity);
    this.#sizes = new Uint32Array(capacity);
  }

  clear(from: number): void {
    this.count = 0;
    this.#from = from;
  }

  addFrom(leaf: IndexLeaf, first: number, { from, to }: Stretch): boolean {
    for (let at = first; at < leaf.count; at++) {
      const size = leaf.size(at);
      if (size < 0) continue;
      const units = leaf.units(at);
      if (units < from || units >= to) continue;
      if (this.count === this.capacity) return false;
      this.#keys[this.count] = (units - from) * this.capacity + this.count;
      this.#highs[this.count] = leaf.high(at);
      this.#lows[this.count] = leaf.low(at);
      this.#sizes[this.count] = size;
      this.count++;
    }
    return true;
  }

  sorted(): LiveBatch {
    const { count, capacity } = this;
    const keys = this.#keys.subarray(0, count).sort();
    const idHighs = new Uint32Array(count);
    const idLows = new Uint32Array(count);
    const bodyBytes = new Uint32Array(count);
    for (let rank = 0; rank < count; rank++) {
      const key = keys[rank] ?? 0;
      const place = key % capacity;
      idHighs[rank] = this.#highs[place] ?? 0;
      idLows[rank] = this.#lows[place] ?? 0;
      bodyBytes[rank] = this.#sizes[place] ?? 0;
      keys[rank] = (this.#from + (key - place) / capacity) * ALIGNMENT_BYTES;
    }
    return { count, idHighs, idLows, offsetBytes: keys, bodyBytes };
  }
}
