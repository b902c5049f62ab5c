import { assert } from "@kelp/base";
import { LEAF_ENTRIES, LEAF_ENTRIES_MAX, LEAF_ROOM } from "../limits.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { ALIGNMENT_BYTES, recordBytesOf } from "../needle/layout.ts";
import { OFFSET_WIDTH_DEFAULT, type OffsetWidth } from "./index-entry.ts";
import { IndexLeaf } from "./index-leaf.ts";
import { type LeafEntry, shapeStartingAt, strideOf } from "./leaf-shape.ts";
import { type IndexCounters, IndexSnapshot } from "./index-snapshot.ts";
import { LeafDirectory } from "./leaf-directory.ts";
import { WORD } from "./packed-number.ts";

/**
 * Which needles a volume holds and where, in memory, with the counters that follow from it.
 * Replaying the same puts and removals in the same order gives the same index and the same counters,
 * whether they come from appends, from the index file, from a checkpoint or from the volume file.
 *
 * Entries are sorted by needle id in leaves of about `LEAF_ENTRIES`, found through a directory of their first
 * ids. Ids that rise fill leaf after leaf without slack; others are put in between, and a leaf of more than
 * `LEAF_ENTRIES_MAX` is halved. No step touches more than one leaf, so nothing stalls as the index grows.
 *
 * A removed needle stays as a mark, with the place where it was, until the volume is vacuumed: a second
 * tombstone is then known for one. Its size is stored as `~size`, which is negative; a needle of which only the
 * removal was seen has offset 0 and size -1.
 *
 * Invariant: `liveBytes + deletedBytes` is the sum of all records put and tombstones counted.
 */

/** Where a needle is, or was. */
export interface NeedleLocation {
  readonly offsetBytes: number;
  readonly bodyBytes: number;
}

export type KnownNeedle = "live" | "removed" | "unknown";

export interface NeedleIndexOptions {
  /** Bytes of an offset in the index file. */
  readonly offsetWidth?: OffsetWidth;
  /** The whole record of a body of this size: depends on the volume's version. */
  readonly recordBytes?: (bodyBytes: number) => number;
}

export class NeedleIndex {
  readonly offsetWidth: OffsetWidth;
  /** The whole record of a body of this size, in this volume. */
  readonly recordBytes: (bodyBytes: number) => number;
  readonly #tombstoneBytes: number;
  readonly #directory = new LeafDirectory();
  #entryCount = 0;
  #serial = 0;
  /** Leaves up to this serial belong to the snapshot and are copied before they change. */
  #frozenSerial = -1;
  #snapshot: IndexSnapshot | undefined;
  #liveCount = 0;
  #liveBytes = 0;
  #deletedCount = 0;
  #deletedBytes = 0;
  #maxHigh = 0;
  #maxLow = 0;

  constructor(options: NeedleIndexOptions = {}) {
    this.offsetWidth = options.offsetWidth ?? OFFSET_WIDTH_DEFAULT;
    this.recordBytes = options.recordBytes ?? recordBytesOf;
    this.#tombstoneBytes = this.recordBytes(0);
  }

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
  /** Live needles and marks of removed ones. */
  get entryCount(): number {
    return this.#entryCount;
  }
  get memoryBytes(): number {
    let sum = this.#directory.memoryBytes;
    for (const leaf of this.#directory.leaves) sum += leaf.memoryBytes;
    return sum;
  }

  get counters(): IndexCounters {
    const { liveCount, liveBytes, deletedCount, deletedBytes, needleIdMax } = this;
    return { liveCount, liveBytes, deletedCount, deletedBytes, needleIdMax };
  }

  /** `undefined` when the needle is unknown or removed. */
  find(idHigh: number, idLow: number): NeedleLocation | undefined {
    const leaf = this.#directory.leafOf(idHigh, idLow);
    if (leaf === undefined) return undefined;
    const at = leaf.find(idHigh, idLow);
    if (at < 0) return undefined;
    const bodyBytes = leaf.size(at);
    if (bodyBytes < 0) return undefined;
    return { offsetBytes: leaf.units(at) * ALIGNMENT_BYTES, bodyBytes };
  }

  /** Where a removed needle was; `undefined` when it is live, unknown, or its place is. */
  findRemoved(idHigh: number, idLow: number): NeedleLocation | undefined {
    const leaf = this.#directory.leafOf(idHigh, idLow);
    const at = leaf?.find(idHigh, idLow) ?? -1;
    if (leaf === undefined || at < 0) return undefined;
    const size = leaf.size(at);
    const units = leaf.units(at);
    if (size >= 0 || units === 0) return undefined;
    return { offsetBytes: units * ALIGNMENT_BYTES, bodyBytes: ~size };
  }

  knows(idHigh: number, idLow: number): KnownNeedle {
    const leaf = this.#directory.leafOf(idHigh, idLow);
    const at = leaf?.find(idHigh, idLow) ?? -1;
    if (leaf === undefined || at < 0) return "unknown";
    return leaf.size(at) < 0 ? "removed" : "live";
  }

  /** A record was added: it replaces an earlier one of the same id. */
  put(idHigh: number, idLow: number, offsetBytes: number, bodyBytes: number): void {
    assert(offsetBytes > 0, "a record stands behind the superblock");
    assert(offsetBytes % ALIGNMENT_BYTES === 0, "a record is aligned");
    assert(bodyBytes >= 0, "a record has a size");
    assert((idHigh | idLow) !== 0, "needle id 0 names no needle");
    const units = offsetBytes / ALIGNMENT_BYTES;
    this.#liveCount++;
    this.#liveBytes += this.recordBytes(bodyBytes);
    const place = this.#place(idHigh, idLow);
    if (place === undefined) {
      this.#insert({ idHigh, idLow, units, size: bodyBytes });
      return;
    }
    this.#countDead(place.leaf.size(place.at));
    this.#changeable(place).update(place.at, units, bodyBytes);
  }

  /** A needle was removed. `hasTombstone`: by a record of the volume file, which takes space itself. */
  remove(idHigh: number, idLow: number, options: { readonly hasTombstone: boolean }): void {
    assert((idHigh | idLow) !== 0, "needle id 0 names no needle");
    if (options.hasTombstone) this.#deletedBytes += this.#tombstoneBytes;
    const place = this.#place(idHigh, idLow);
    if (place === undefined) {
      this.#insert({ idHigh, idLow, units: 0, size: -1 });
      return;
    }
    const size = place.leaf.size(place.at);
    if (size < 0) return;
    this.#countDead(size);
    const leaf = this.#changeable(place);
    leaf.update(place.at, leaf.units(place.at), ~size);
  }

  /**
   * Every live needle in the order of ids, or those whose records begin in a part of the volume file. The index must
   * not change meanwhile.
   */
  forEachLive(
    visit: (idHigh: number, idLow: number, offsetBytes: number, bodyBytes: number) => void,
    within: { readonly fromBytes: number; readonly endBytes: number } = EVERYWHERE,
  ): void {
    const from = within.fromBytes / ALIGNMENT_BYTES;
    const to = within.endBytes / ALIGNMENT_BYTES;
    for (const leaf of this.#directory.leaves) {
      if (leaf.unitsMax < from || leaf.unitsMin >= to) continue;
      for (let at = 0; at < leaf.count; at++) {
        const size = leaf.size(at);
        const units = leaf.units(at);
        if (size < 0 || units < from || units >= to) continue;
        visit(leaf.high(at), leaf.low(at), units * ALIGNMENT_BYTES, size);
      }
    }
  }

  /** The leaf with the first id from the one given on; `undefined` when all are below. Borrowed: it changes with the index. */
  leafFrom(idHigh: number, idLow: number): IndexLeaf | undefined {
    const index = this.#directory.indexOf(idHigh, idLow);
    const leaf = this.#directory.leaves[index];
    if (leaf === undefined || leaf.lowerBound(idHigh, idLow) < leaf.count) return leaf;
    return this.#directory.leaves[index + 1];
  }

  /**
   * Every leaf, ascending by id, with the first of its entries that none before had. The index may change between two of them: they
   * are found by id and not by number, since leaves come and go.
   */
  *leavesById(): Generator<{ readonly leaf: IndexLeaf; readonly first: number }> {
    let high = 0;
    let low = 0;
    for (;;) {
      const leaf = this.leafFrom(high, low);
      if (leaf === undefined) return;
      const first = leaf.lowerBound(high, low);
      // Before the leaf is given out: it may have changed when the next one is asked for.
      high = leaf.high(leaf.count - 1);
      low = leaf.low(leaf.count - 1) + 1;
      yield { leaf, first };
      if (low < WORD) continue;
      low = 0;
      high++;
      if (high === WORD) return;
    }
  }

  /** One at a time. At most `LEAF_COPIES_MAX` leaves are copied for it. */
  takeSnapshot(): IndexSnapshot {
    assert(this.#snapshot === undefined, "an index has one snapshot at a time");
    const snapshot = new IndexSnapshot(this, this.#directory.leaves, () => {
      if (this.#snapshot !== snapshot) return;
      this.#snapshot = undefined;
      this.#frozenSerial = -1;
    });
    this.#snapshot = snapshot;
    this.#frozenSerial = this.#serial;
    return snapshot;
  }

  /** For loading: takes over a leaf whose ids are all above those before it. Its entries are not counted. */
  adoptLeaf(leaf: IndexLeaf): void {
    assert(leaf.count > 0, "a leaf of an index is not empty");
    this.#directory.push(leaf);
    this.#entryCount += leaf.count;
    this.#serial = Math.max(this.#serial, leaf.serial);
  }

  /** For loading: the counters that belong to the leaves adopted. */
  adoptCounters(counters: IndexCounters): void {
    this.#liveCount = counters.liveCount;
    this.#liveBytes = counters.liveBytes;
    this.#deletedCount = counters.deletedCount;
    this.#deletedBytes = counters.deletedBytes;
    this.#maxHigh = Number(counters.needleIdMax >> 32n);
    this.#maxLow = Number(counters.needleIdMax & 0xffff_ffffn);
  }

  /** Where an id stands; `undefined` when it is unknown. An id above all is known to be so without a search. */
  #place(idHigh: number, idLow: number): Place | undefined {
    if (this.#isAboveAll(idHigh, idLow)) return undefined;
    const index = this.#directory.indexOf(idHigh, idLow);
    const leaf = this.#directory.leaves[index];
    if (leaf === undefined) return undefined;
    const at = leaf.find(idHigh, idLow);
    return at < 0 ? undefined : { index, leaf, at };
  }

  #isAboveAll(idHigh: number, idLow: number): boolean {
    return idHigh > this.#maxHigh || (idHigh === this.#maxHigh && idLow > this.#maxLow);
  }

  #insert(entry: LeafEntry): void {
    this.#entryCount++;
    const isAboveAll = this.#isAboveAll(entry.idHigh, entry.idLow);
    if (isAboveAll) {
      this.#maxHigh = entry.idHigh;
      this.#maxLow = entry.idLow;
    }
    const { leaves } = this.#directory;
    const last = leaves.at(-1);
    if (last === undefined || (isAboveAll && last.count >= LEAF_ENTRIES)) {
      this.#insertBehind(last, entry);
    } else if (isAboveAll) {
      this.#insertInto(leaves.length - 1, entry);
    } else {
      this.#insertInto(this.#directory.indexOf(entry.idHigh, entry.idLow), entry);
    }
  }

  /** Begins a leaf. Ids that rise will fill it, so it is made whole; the first stays small in a small volume. */
  #insertBehind(last: IndexLeaf | undefined, entry: LeafEntry): void {
    const before = last?.tightShape({ from: 0, to: last.count });
    if (last !== undefined && before !== undefined && strideOf(before) < strideOf(last)) {
      const tight = last.part(++this.#serial, { from: 0, to: last.count }, last.count);
      this.#directory.replace(this.#directory.leaves.length - 1, [tight]);
    }
    const capacity = last === undefined ? LEAF_ROOM : LEAF_ENTRIES;
    const leaf = new IndexLeaf(++this.#serial, capacity, shapeStartingAt(entry, before));
    leaf.insert(0, entry, capacity);
    this.#directory.push(leaf);
  }

  #insertInto(index: number, entry: LeafEntry): void {
    const { idHigh, idLow } = entry;
    let at = index;
    let leaf = this.#changeableLeaf(at);
    if (leaf.count >= LEAF_ENTRIES_MAX) {
      this.#halve(at, leaf);
      at = this.#directory.indexOf(idHigh, idLow);
      leaf = this.#changeableLeaf(at);
    }
    const place = leaf.lowerBound(idHigh, idLow);
    leaf.insert(place, entry, roomAfter(leaf.count));
    if (place === 0) this.#directory.update(at);
  }

  #halve(index: number, leaf: IndexLeaf): void {
    const middle = leaf.count >>> 1;
    const lower = { from: 0, to: middle };
    const upper = { from: middle, to: leaf.count };
    const first = leaf.part(++this.#serial, lower, roomAfter(middle));
    const second = leaf.part(++this.#serial, upper, roomAfter(leaf.count - middle));
    this.#directory.replace(index, [first, second]);
  }

  #changeable({ index }: Place): IndexLeaf {
    return this.#changeableLeaf(index);
  }

  /** The leaf itself, or a copy in its place when the snapshot has it. */
  #changeableLeaf(index: number): IndexLeaf {
    const leaf = this.#directory.leaves[index];
    assert(leaf !== undefined, "an index has the leaf that its directory names");
    if (leaf.serial > this.#frozenSerial) return leaf;
    const copy = leaf.copy(++this.#serial, leaf.capacity);
    this.#directory.replace(index, [copy]);
    this.#snapshot?.countCopy();
    return copy;
  }

  #countDead(size: number): void {
    if (size < 0) return;
    this.#liveCount--;
    this.#liveBytes -= this.recordBytes(size);
    this.#deletedCount++;
    this.#deletedBytes += this.recordBytes(size);
  }
}

const EVERYWHERE = { fromBytes: 0, endBytes: Number.POSITIVE_INFINITY };

interface Place {
  readonly index: number;
  readonly leaf: IndexLeaf;
  readonly at: number;
}

/** A few more than there are: leaves grow in small steps, so that what they do not use stays small. */
function roomAfter(count: number): number {
  if (count < LEAF_ENTRIES / 2) return Math.max(LEAF_ROOM, Math.min(count * 2, LEAF_ENTRIES));
  return Math.min(count + LEAF_ROOM, LEAF_ENTRIES_MAX);
}
