import { compareText } from "./text-order.ts";

/** A place among paths: at `path`, or behind it. */
export interface PathPlace {
  readonly path: string;
  readonly bound: ">=" | ">";
}

/** Whether rows of `path` come before the place. */
export function isBefore(path: string, place: PathPlace): boolean {
  const order = compareText(path, place.path);
  return place.bound === ">" ? order <= 0 : order < 0;
}

/** The one that comes first; `undefined` is the end of everything. */
export function firstOf(
  left: PathPlace | undefined,
  right: PathPlace | undefined,
): PathPlace | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  const order = compareText(left.path, right.path);
  if (order !== 0) return order < 0 ? left : right;
  return left.bound === ">=" ? left : right;
}
