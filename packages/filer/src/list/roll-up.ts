import { assert } from "@kelp/base";
import { compareText, textAfterPrefix } from "./text-order.ts";

/** Rows in the order of their paths, read in short runs from a place. */
export interface RowSource<Row, Place> {
  /** Rows from `start` on, below `end` when given, looking at about `count`; fewer do not mean that the end is reached. */
  read(start: Place, end: string | undefined, count: number): RowRun<Row, Place>;
  /** The place of the first row whose path is `path` or above it. */
  placeAt(path: string): Place;
  pathOf(row: Row): string;
}

export interface RowRun<Row, Place> {
  readonly rows: readonly Row[];
  /** Where reading goes on; `undefined` behind the last row. */
  readonly next: Place | undefined;
}

export interface RollUpQuery<Place> {
  readonly prefix: string;
  /** `undefined` or a text that is not empty. */
  readonly delimiter: string | undefined;
  /** Text that all items must sort after. */
  readonly after: string | undefined;
  /** Where rows after `after` begin: differs from the text when rows share paths. */
  readonly afterPlace: Place | undefined;
  readonly limit: number;
}

export interface RolledUpPage<Row> {
  readonly items: readonly RolledUpItem<Row>[];
  readonly isTruncated: boolean;
}

export type RolledUpItem<Row> =
  | { readonly kind: "row"; readonly row: Row }
  | { readonly kind: "prefix"; readonly prefix: string };

/** Rows of the first read: small, because where all rows roll up only the first of a run is used. */
const RUN_ROWS_MIN = 8;
const RUN_ROWS_MAX = 1024;

/**
 * One page of rows and rolled-up prefixes by skip-scan: after a prefix the next read starts behind everything below it,
 * so the cost follows the items given, not the rows they stand for.
 */
export function rollUp<Row, Place>(
  source: RowSource<Row, Place>,
  query: RollUpQuery<Place>,
): RolledUpPage<Row> {
  const steps = rollUpSteps(source, query);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** As `rollUp`, one read at a time: who drives it may let others run in between. */
export function* rollUpSteps<Row, Place>(
  source: RowSource<Row, Place>,
  query: RollUpQuery<Place>,
): Generator<void, RolledUpPage<Row>> {
  assert(query.limit > 0, "a page has room");
  const end = textAfterPrefix(query.prefix);
  const items: RolledUpItem<Row>[] = [];
  let place = firstPlace(source, query);
  let count = query.delimiter === undefined ? query.limit + 1 : RUN_ROWS_MIN;
  while (place !== undefined) {
    const run: RowRun<Row, Place> = source.read(place, end, count);
    let skipped: string | undefined;
    for (const row of run.rows) {
      const path = source.pathOf(row);
      if (skipped !== undefined && path.startsWith(skipped)) continue;
      if (items.length === query.limit) return { items, isTruncated: true };
      skipped = rolledUpPrefix(path, query);
      items.push(
        skipped === undefined ? { kind: "row", row } : { kind: "prefix", prefix: skipped },
      );
    }
    if (run.next === undefined) break;
    if (skipped === undefined) {
      place = run.next;
      // Where nothing was found rows are being stepped over, and there may be many of them.
      const wanted = run.rows.length === 0 ? RUN_ROWS_MAX : query.limit - items.length + 1;
      count = Math.min(count * 4, RUN_ROWS_MAX, wanted);
    } else {
      const behind = textAfterPrefix(skipped);
      place = behind === undefined ? undefined : source.placeAt(behind);
      count = RUN_ROWS_MIN;
    }
    yield;
  }
  return { items, isTruncated: false };
}

/**
 * Where the first row can be. When `after` lies in a rolled-up prefix, that prefix sorts at or before `after`, so
 * nothing of it may appear.
 */
function firstPlace<Row, Place>(
  source: RowSource<Row, Place>,
  query: RollUpQuery<Place>,
): Place | undefined {
  const { after, prefix } = query;
  if (after === undefined || compareText(after, prefix) < 0) return source.placeAt(prefix);
  const skipped = rolledUpPrefix(after, query);
  if (skipped === undefined) return query.afterPlace;
  const behind = textAfterPrefix(skipped);
  return behind === undefined ? undefined : source.placeAt(behind);
}

/** The item that stands for `path`, or `undefined` when the path stands for itself. */
export function rolledUpPrefix(
  path: string,
  query: { readonly prefix: string; readonly delimiter: string | undefined },
): string | undefined {
  if (query.delimiter === undefined || !path.startsWith(query.prefix)) return undefined;
  const at = path.indexOf(query.delimiter, query.prefix.length);
  return at < 0 ? undefined : path.slice(0, at + query.delimiter.length);
}
