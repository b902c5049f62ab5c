import { assert } from "@kelp/base";
import {
  type IdHalves,
  KEY_RANGE_MAX,
  KEY_WIDTH_WHOLE,
  type LeafEntry,
  type LeafRange,
  type LeafShape,
  distance,
  idBelow,
  isSameShape,
  keyShape,
  sizeCode,
  strideOf,
} from "./leaf-shape.ts";
import { WORD, readPacked, widthOf, writePacked } from "./packed-number.ts";

export interface LeafSurvey {
  /** Whether each id is above the one before. */
  readonly isRising: boolean;
  readonly liveCount: number;
  readonly liveBytes: number;
}

const GUESSES = 3;

/**
 * A stretch of an index: its entries as rows of one byte array, sorted by needle id. A row (numbers are
 * little-endian) of a leaf with the shape `{ keyWidth, unitsWidth, sizeWidth }`:
 *
 * | width      | field                                                                               |
 * |------------|-------------------------------------------------------------------------------------|
 * | keyWidth   | needle id, less `baseHigh`, `baseLow`: 2 to 6 bytes, or 8 when the leaf has no base    |
 * | unitsWidth | offset in units, less `unitsBase`: 2 to 5 bytes                                        |
 * | sizeWidth  | size of the body, times 2, plus 1 when the needle was removed: 2 to 4 bytes            |
 *
 * Needles appended one after another have near ids and offsets, so that a row of small ones takes 7 bytes.
 * Invariants: ids rise strictly; every number fits its width, and a number that would not widens all rows
 * first; `unitsMin` and `unitsMax` enclose all offsets that ever stood here.
 */
export class IndexLeaf implements LeafShape {
  /** Leaves made later have a higher one: that is how an index tells those of a snapshot. */
  readonly serial: number;
  count = 0;
  capacity: number;
  rows: Uint8Array;
  baseHigh: number;
  baseLow: number;
  unitsBase: number;
  keyWidth: number;
  unitsWidth: number;
  sizeWidth: number;
  #stride: number;
  /** That of the last row: kept here because reading it there would miss the cache of the processor. */
  #keyLast = 0;
  unitsMin = Number.POSITIVE_INFINITY;
  unitsMax = 0;

  constructor(serial: number, capacity: number, shape: LeafShape) {
    this.serial = serial;
    this.capacity = capacity;
    this.baseHigh = shape.baseHigh;
    this.baseLow = shape.baseLow;
    this.unitsBase = shape.unitsBase;
    this.keyWidth = shape.keyWidth;
    this.unitsWidth = shape.unitsWidth;
    this.sizeWidth = shape.sizeWidth;
    this.#stride = strideOf(shape);
    this.rows = new Uint8Array(capacity * this.#stride);
  }

  get shape(): LeafShape {
    const { baseHigh, baseLow, unitsBase, keyWidth, unitsWidth, sizeWidth } = this;
    return { baseHigh, baseLow, unitsBase, keyWidth, unitsWidth, sizeWidth };
  }

  get memoryBytes(): number {
    return this.rows.byteLength;
  }

  high(at: number): number {
    const { keyWidth, rows } = this;
    const start = at * this.#stride;
    if (keyWidth === KEY_WIDTH_WHOLE) return readPacked(rows, start + 4, 4);
    return this.baseHigh + Math.floor((this.baseLow + readPacked(rows, start, keyWidth)) / WORD);
  }

  low(at: number): number {
    const { keyWidth, rows } = this;
    const start = at * this.#stride;
    if (keyWidth === KEY_WIDTH_WHOLE) return readPacked(rows, start, 4);
    return (this.baseLow + readPacked(rows, start, keyWidth)) >>> 0;
  }

  units(at: number): number {
    const start = at * this.#stride + this.keyWidth;
    return this.unitsBase + readPacked(this.rows, start, this.unitsWidth);
  }

  size(at: number): number {
    const start = at * this.#stride + this.keyWidth + this.unitsWidth;
    const code = readPacked(this.rows, start, this.sizeWidth);
    return (code & 1) === 0 ? code / 2 : ~(code >>> 1);
  }

  /** Place of the first id that is not below the one given; `count` when all are. */
  lowerBound(idHigh: number, idLow: number): number {
    if (this.keyWidth === KEY_WIDTH_WHOLE) return this.#lowerBoundWhole(idHigh, idLow);
    const { rows, keyWidth } = this;
    const stride = this.#stride;
    const key = this.#key(idHigh, idLow);
    let from = 0;
    let to = this.count;
    if (key <= 0 || to === 0) return 0;
    // Ids lie nearly evenly, so a guess or two is close; the search by halves makes sure.
    let above = this.#keyLast;
    if (key > above) return to;
    let below = 0;
    for (let guesses = 0; guesses < GUESSES && from < to; guesses++) {
      const middle = from + Math.floor(((key - below) / (above - below + 1)) * (to - from));
      const value = readPacked(rows, middle * stride, keyWidth);
      if (value === key) return middle;
      if (value < key) {
        from = middle + 1;
        below = value;
      } else {
        to = middle;
        above = value;
      }
    }
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (readPacked(rows, middle * stride, keyWidth) < key) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Place of the id, or -1. */
  find(idHigh: number, idLow: number): number {
    const at = this.lowerBound(idHigh, idLow);
    if (at >= this.count) return -1;
    const { keyWidth } = this;
    if (keyWidth === KEY_WIDTH_WHOLE) {
      return this.low(at) === idLow && this.high(at) === idHigh ? at : -1;
    }
    return readPacked(this.rows, at * this.#stride, keyWidth) === this.#key(idHigh, idLow)
      ? at
      : -1;
  }

  entry(at: number): LeafEntry {
    return {
      idHigh: this.high(at),
      idLow: this.low(at),
      units: this.units(at),
      size: this.size(at),
    };
  }

  update(at: number, units: number, size: number): void {
    this.#widenFor(units, size);
    this.#writePlace(at, units, size);
  }

  /** Puts an entry in at the place that `lowerBound` names; `room` is the capacity when this one is used up. */
  insert(at: number, entry: LeafEntry, room: number): void {
    const { idHigh, idLow, units, size } = entry;
    if (this.count === this.capacity) this.#reshape(room, this.shape);
    this.#widenForId(idHigh, idLow);
    this.#widenFor(units, size);
    assert(this.count < this.capacity, "a leaf has room");
    const stride = this.#stride;
    if (at < this.count) {
      this.rows.copyWithin((at + 1) * stride, at * stride, this.count * stride);
    }
    this.count++;
    this.#writeId(at, idHigh, idLow);
    this.#writePlace(at, units, size);
  }

  /** A copy with room for `capacity` entries. */
  copy(serial: number, capacity: number): IndexLeaf {
    assert(this.count <= capacity, "a leaf has room for its entries");
    const copy = new IndexLeaf(serial, capacity, this);
    copy.rows.set(this.rows.subarray(0, this.count * this.#stride));
    copy.count = this.count;
    copy.#keyLast = this.#keyLast;
    copy.unitsMin = this.unitsMin;
    copy.unitsMax = this.unitsMax;
    return copy;
  }

  /** A leaf of the entries from `from` up to `to`, in no more bytes than they need. */
  part(serial: number, range: LeafRange, capacity: number): IndexLeaf {
    const { from, to } = range;
    assert(from < to, "a leaf is not empty");
    assert(to - from <= capacity, "a leaf has room for its entries");
    const part = new IndexLeaf(serial, capacity, this.tightShape(range));
    for (let at = from; at < to; at++) part.insert(at - from, this.entry(at), capacity);
    return part;
  }

  /** The shape in which the entries from `from` up to `to` take the fewest bytes. */
  tightShape({ from, to }: LeafRange): LeafShape {
    let unitsMin = Number.POSITIVE_INFINITY;
    let unitsMax = 0;
    let codeMax = 0;
    for (let at = from; at < to; at++) {
      unitsMin = Math.min(unitsMin, this.units(at));
      unitsMax = Math.max(unitsMax, this.units(at));
      codeMax = Math.max(codeMax, sizeCode(this.size(at)));
    }
    const first = this.#id(from);
    return {
      ...keyShape(first, distance(first, this.#id(to - 1))),
      unitsBase: unitsMin,
      unitsWidth: widthOf(unitsMax - unitsMin),
      sizeWidth: widthOf(codeMax),
    };
  }

  /** Rows that use all of their memory, and what they hold, for loading. `rows` is the leaf's from now on. */
  static fromRows(shape: LeafShape, count: number, rows: Uint8Array): IndexLeaf {
    assert(rows.length === count * strideOf(shape), "rows fill their memory");
    const leaf = new IndexLeaf(0, 0, shape);
    leaf.rows = rows;
    leaf.count = count;
    leaf.capacity = count;
    if (shape.keyWidth !== KEY_WIDTH_WHOLE) {
      leaf.#keyLast = readPacked(rows, (count - 1) * leaf.#stride, shape.keyWidth);
    }
    return leaf;
  }

  /** For loading: looks at every row, encloses the offsets, and counts. */
  survey(recordBytes: (bodyBytes: number) => number): LeafSurvey {
    const { rows, keyWidth, unitsWidth, sizeWidth, unitsBase, count } = this;
    const stride = this.#stride;
    let isRising = true;
    let liveCount = 0;
    let liveBytes = 0;
    let unitsMin = Number.POSITIVE_INFINITY;
    let unitsMax = 0;
    let keyBefore = -1;
    for (let at = 0, start = 0; at < count; at++, start += stride) {
      if (keyWidth !== KEY_WIDTH_WHOLE) {
        const key = readPacked(rows, start, keyWidth);
        if (key <= keyBefore) isRising = false;
        keyBefore = key;
      } else if (at > 0 && distance(this.#id(at - 1), this.#id(at)) <= 0) isRising = false;
      const units = readPacked(rows, start + keyWidth, unitsWidth);
      if (units < unitsMin) unitsMin = units;
      if (units > unitsMax) unitsMax = units;
      const code = readPacked(rows, start + keyWidth + unitsWidth, sizeWidth);
      if ((code & 1) !== 0) continue;
      liveCount++;
      liveBytes += recordBytes(code / 2);
    }
    this.unitsMin = unitsBase + unitsMin;
    this.unitsMax = unitsBase + unitsMax;
    return { isRising, liveCount, liveBytes };
  }

  #lowerBoundWhole(idHigh: number, idLow: number): number {
    let from = 0;
    let to = this.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const high = this.high(middle);
      if (high < idHigh || (high === idHigh && this.low(middle) < idLow)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #writeId(at: number, idHigh: number, idLow: number): void {
    const start = at * this.#stride;
    if (this.keyWidth === KEY_WIDTH_WHOLE) {
      writePacked(this.rows, start, 4, idLow);
      writePacked(this.rows, start + 4, 4, idHigh);
    } else {
      const key = this.#key(idHigh, idLow);
      writePacked(this.rows, start, this.keyWidth, key);
      if (at === this.count - 1) this.#keyLast = key;
    }
  }

  #writePlace(at: number, units: number, size: number): void {
    const start = at * this.#stride + this.keyWidth;
    writePacked(this.rows, start, this.unitsWidth, units - this.unitsBase);
    writePacked(this.rows, start + this.unitsWidth, this.sizeWidth, sizeCode(size));
    if (units < this.unitsMin) this.unitsMin = units;
    if (units > this.unitsMax) this.unitsMax = units;
  }

  /** Exact where it matters: beyond 2⁵³ it is above all keys, or below, and equal to none. */
  #key(idHigh: number, idLow: number): number {
    return (idHigh - this.baseHigh) * WORD + (idLow - this.baseLow);
  }

  #id(at: number): IdHalves {
    return { high: this.high(at), low: this.low(at) };
  }

  #widenForId(idHigh: number, idLow: number): void {
    if (this.keyWidth === KEY_WIDTH_WHOLE) return;
    const base = { high: this.baseHigh, low: this.baseLow };
    const id = { high: idHigh, low: idLow };
    const key = distance(base, id);
    if (key >= 0) {
      if (key < 256 ** this.keyWidth) return;
      this.#reshape(this.capacity, { ...this.shape, ...keyShape(base, key) });
      return;
    }
    // The base goes further down than it must, so that ids that fall do not move it each time.
    const last = this.#id(this.count - 1);
    const range = distance(id, last);
    const lower = range < KEY_RANGE_MAX ? idBelow(id, range) : id;
    this.#reshape(this.capacity, { ...this.shape, ...keyShape(lower, distance(lower, last)) });
  }

  #widenFor(units: number, size: number): void {
    const { unitsBase, unitsWidth, sizeWidth } = this;
    const needed = widthOf(sizeCode(size));
    const isBelow = units < unitsBase;
    const fits = !isBelow && units - unitsBase < 256 ** unitsWidth;
    if (fits && needed <= sizeWidth) return;
    const max = Math.max(units, this.unitsMax);
    const base = isBelow ? Math.max(0, units - (max - units)) : unitsBase;
    this.#reshape(this.capacity, {
      ...this.shape,
      unitsBase: base,
      unitsWidth: Math.max(unitsWidth, widthOf(max - base)),
      sizeWidth: Math.max(sizeWidth, needed),
    });
  }

  #reshape(capacity: number, shape: LeafShape): void {
    const next = new IndexLeaf(this.serial, capacity, shape);
    next.count = this.count;
    if (isSameShape(shape, this)) {
      next.rows.set(this.rows.subarray(0, this.count * this.#stride));
      next.#keyLast = this.#keyLast;
    } else {
      for (let at = 0; at < this.count; at++) {
        next.#writeId(at, this.high(at), this.low(at));
        next.#writePlace(at, this.units(at), this.size(at));
      }
    }
    this.#keyLast = next.#keyLast;
    this.capacity = capacity;
    this.rows = next.rows;
    this.baseHigh = shape.baseHigh;
    this.baseLow = shape.baseLow;
    this.unitsBase = shape.unitsBase;
    this.keyWidth = shape.keyWidth;
    this.unitsWidth = shape.unitsWidth;
    this.sizeWidth = shape.sizeWidth;
    this.#stride = next.#stride;
  }
}
