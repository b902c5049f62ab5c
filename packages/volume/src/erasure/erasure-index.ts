import type { IndexEntry } from "../index/index-entry.ts";
import type { NeedleLocation } from "../index/needle-index.ts";
import type { RemovalLog } from "../sealed/removal-log.ts";
import type { SealedIndex } from "../sealed/sealed-content.ts";
import type { SortedIndex } from "./sorted-index.ts";

/** The sorted index with the journal of what was removed since. */
export class ErasureIndex implements SealedIndex {
  readonly sorted: SortedIndex;
  readonly #journal: RemovalLog;

  constructor(sorted: SortedIndex, journal: RemovalLog) {
    this.sorted = sorted;
    this.#journal = journal;
  }

  get liveCount(): number {
    return this.sorted.liveCount;
  }
  get liveBytes(): number {
    return this.sorted.liveBytes;
  }
  get removedCount(): number {
    return this.sorted.removedCount;
  }
  get needleIdMax(): bigint {
    return this.sorted.needleIdMax;
  }

  find(idHigh: number, idLow: number): NeedleLocation | undefined {
    return this.sorted.find(idHigh, idLow);
  }

  entries(): AsyncIterable<IndexEntry> {
    return this.sorted.entries();
  }

  liveOffsetUnits(): Promise<Uint32Array> {
    return this.sorted.liveOffsetUnits();
  }

  /** Journalled first: what is not found any more stays so. */
  async remove(idHigh: number, idLow: number): Promise<void> {
    await this.#journal.append({ idHigh, idLow });
    this.sorted.mask(idHigh, idLow);
  }

  async close(): Promise<void> {
    await this.#journal.close();
    await this.sorted.close();
  }
}
