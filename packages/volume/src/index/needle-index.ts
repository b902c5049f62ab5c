import { assert } from "@kelp/base";
import { ALIGNMENT_BYTES, TOMBSTONE_BYTES, recordBytesOf } from "../needle/layout.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { REMOVED_SIZE } from "./index-entry.ts";
import { IndexShard, hashId } from "./index-shard.ts";

/**
 * Which needles a volume holds and where, in memory, with the counters that follow from it.
 * Replaying the same puts and removals in the same order gives the same index and the same counters,
 * whether they come from appends, from the index file or from the volume file.
 *
 * Removed needles stay as marks until the volume is vacuumed: a second tombstone is then known for one.
 *
 * Invariant: `liveBytes + deletedBytes` is the sum of all records put and tombstones counted.
 */

/** Many small tables instead of one: growing copies a 64th of the needles at a time, so appends never stall for long. */
const SHARD_COUNT = 64;

/** Where a live needle is. */
export interface NeedleLocation {
  readonly offsetBytes: number;
  readonly bodyBytes: number;
}

export type KnownNeedle = "live" | "removed" | "unknown";

export class NeedleIndex {
  readonly #shards: (IndexShard | undefined)[] = Array.from({ length: SHARD_COUNT });
  #liveCount = 0;
  #liveBytes = 0;
  #deletedCount = 0;
  #deletedBytes = 0;
  #maxHigh = 0;
  #maxLow = 0;

  get liveCount(): number {
    return this.#liveCount;
  }
  get liveBytes(): number {
    return this.#liveBytes;
  }
  get deletedCount(): number {
    return this.#deletedCount;
  }
  get deletedBytes(): number {
    return this.#deletedBytes;
  }
  get needleIdMax(): bigint {
    return joinIdHalves(this.#maxHigh, this.#maxLow);
  }
  get memoryBytes(): number {
    let sum = 0;
    for (const shard of this.#shards) sum += shard?.memoryBytes ?? 0;
    return sum;
  }

  /** `undefined` when the needle is unknown or removed. */
  find(idHigh: number, idLow: number): NeedleLocation | undefined {
    const hash = hashId(idHigh, idLow);
    const shard = this.#shards[hash % SHARD_COUNT];
    if (shard === undefined) return undefined;
    const at = shard.find(hash, idHigh, idLow);
    if (at < 0) return undefined;
    const bodyBytes = shard.bodyBytes(at);
    if (bodyBytes < 0) return undefined;
    return { offsetBytes: shard.offsetUnits(at) * ALIGNMENT_BYTES, bodyBytes };
  }

  knows(idHigh: number, idLow: number): KnownNeedle {
    const hash = hashId(idHigh, idLow);
    const shard = this.#shards[hash % SHARD_COUNT];
    const at = shard?.find(hash, idHigh, idLow) ?? -1;
    if (shard === undefined || at < 0) return "unknown";
    return shard.bodyBytes(at) < 0 ? "removed" : "live";
  }

  /** A record was added: it replaces an earlier one of the same id. */
  put(idHigh: number, idLow: number, offsetBytes: number, bodyBytes: number): void {
    assert(offsetBytes > 0, "a record stands behind the superblock");
    assert(offsetBytes % ALIGNMENT_BYTES === 0, "a record is aligned");
    assert(bodyBytes >= 0, "a record has a size");
    this.#store(idHigh, idLow, offsetBytes / ALIGNMENT_BYTES, bodyBytes);
    this.#liveCount++;
    this.#liveBytes += recordBytesOf(bodyBytes);
  }

  /** A needle was removed. `hasTombstone`: by a record of the volume file, which takes space itself. */
  remove(idHigh: number, idLow: number, options: { readonly hasTombstone: boolean }): void {
    this.#store(idHigh, idLow, 0, REMOVED_SIZE);
    if (options.hasTombstone) this.#deletedBytes += TOMBSTONE_BYTES;
  }

  /** Every live needle, in no order. The index must not change meanwhile. */
  forEachLive(
    visit: (idHigh: number, idLow: number, offsetBytes: number, bodyBytes: number) => void,
  ): void {
    for (const shard of this.#shards) {
      shard?.forEach((at, idHigh, idLow) => {
        const bodyBytes = shard.bodyBytes(at);
        if (bodyBytes < 0) return;
        visit(idHigh, idLow, shard.offsetUnits(at) * ALIGNMENT_BYTES, bodyBytes);
      });
    }
  }

  #store(idHigh: number, idLow: number, offsetUnits: number, bodyBytes: number): void {
    const hash = hashId(idHigh, idLow);
    const shard = (this.#shards[hash % SHARD_COUNT] ??= new IndexShard());
    const at = shard.find(hash, idHigh, idLow);
    if (at < 0) {
      shard.insert(hash, [idHigh, idLow, offsetUnits, bodyBytes]);
    } else {
      this.#countDead(shard.bodyBytes(at));
      shard.update(at, offsetUnits, bodyBytes);
    }
    if (idHigh > this.#maxHigh || (idHigh === this.#maxHigh && idLow > this.#maxLow)) {
      this.#maxHigh = idHigh;
      this.#maxLow = idLow;
    }
  }

  #countDead(bodyBytes: number): void {
    if (bodyBytes < 0) return;
    this.#liveCount--;
    this.#liveBytes -= recordBytesOf(bodyBytes);
    this.#deletedCount++;
    this.#deletedBytes += recordBytesOf(bodyBytes);
  }
}
