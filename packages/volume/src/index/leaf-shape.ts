import { WIDTH_MIN, WORD, widthOf } from "./packed-number.ts";

/** How the rows of a leaf are packed: see `IndexLeaf`. */
export interface LeafShape {
  readonly baseHigh: number;
  readonly baseLow: number;
  readonly unitsBase: number;
  /** `KEY_WIDTH_WHOLE`: ids as they are; both halves of the base are 0. */
  readonly keyWidth: number;
  readonly unitsWidth: number;
  readonly sizeWidth: number;
}

export interface LeafEntry {
  readonly idHigh: number;
  readonly idLow: number;
  /** 0 for a needle of which only the removal was seen. */
  readonly units: number;
  /** Negative, `~size`: removed. */
  readonly size: number;
}

export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** Ids of a leaf differ by so much that no base helps. */
export const KEY_WIDTH_WHOLE = 8;
/** Ids that differ by less fit in the 6 bytes that a number is sure to hold; the room is for bases below. */
export const KEY_RANGE_MAX = 2 ** 47;

export interface IdHalves {
  readonly high: number;
  readonly low: number;
}

/** For a leaf that begins with `entry`, in the widths that the leaf before it needed. */
export function shapeStartingAt(entry: LeafEntry, before: LeafShape | undefined): LeafShape {
  const { idHigh: high, idLow: low, units, size } = entry;
  const isWhole = before?.keyWidth === KEY_WIDTH_WHOLE;
  return {
    baseHigh: isWhole ? 0 : high,
    baseLow: isWhole ? 0 : low,
    unitsBase: units,
    keyWidth: before?.keyWidth ?? WIDTH_MIN,
    unitsWidth: before?.unitsWidth ?? WIDTH_MIN,
    sizeWidth: Math.max(before?.sizeWidth ?? WIDTH_MIN, widthOf(sizeCode(size))),
  };
}

export function strideOf(shape: LeafShape): number {
  return shape.keyWidth + shape.unitsWidth + shape.sizeWidth;
}

export function sizeCode(size: number): number {
  return size < 0 ? ~size * 2 + 1 : size * 2;
}

/** From `base` to `id`; exact below 2⁵³, of the right sign always. */
export function distance(base: IdHalves, id: IdHalves): number {
  return (id.high - base.high) * WORD + (id.low - base.low);
}

/** The id that much below, or 0. */
export function idBelow(id: IdHalves, by: number): IdHalves {
  const low = id.low - by;
  const high = id.high + Math.floor(low / WORD);
  return high < 0 ? { high: 0, low: 0 } : { high, low: low - Math.floor(low / WORD) * WORD };
}

export function keyShape(
  base: IdHalves,
  range: number,
): Pick<LeafShape, "baseHigh" | "baseLow" | "keyWidth"> {
  return range < 2 * KEY_RANGE_MAX
    ? { baseHigh: base.high, baseLow: base.low, keyWidth: widthOf(range) }
    : { baseHigh: 0, baseLow: 0, keyWidth: KEY_WIDTH_WHOLE };
}

export function isSameShape(left: LeafShape, right: LeafShape): boolean {
  return (
    left.baseHigh === right.baseHigh &&
    left.baseLow === right.baseLow &&
    left.unitsBase === right.unitsBase &&
    left.keyWidth === right.keyWidth &&
    left.unitsWidth === right.unitsWidth &&
    left.sizeWidth === right.sizeWidth
  );
}
