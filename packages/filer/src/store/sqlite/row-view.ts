import { compareText, textAfterPrefix } from "../../list/text-order.ts";
import { type PathPlace, firstOf, isBefore } from "../../list/path-place.ts";
import type { RowRun } from "../../list/roll-up.ts";
import type { EntryPath } from "@kelp/wire";
import type { EntryRow } from "./entry-row.ts";
import { type EntryRows, type StoredEntry, isExpired } from "./entry-rows.ts";
import type { PrefixJob } from "./job-rows.ts";
import { type PastRows, behindPlace } from "./past-rows.ts";
import type { CloneBase, SnapshotRows } from "./snapshot-rows.ts";

export type PathRun = RowRun<EntryRow, PathPlace>;

/** What a tree shows, where that is not simply its own rows. Views read; rows whose time is over are among what they give. */
export interface RowView {
  find(path: EntryPath): EntryRow | undefined;
  /** In order from `start`, below `end`. Looks at about `count` rows, whatever it leaves out. */
  run(start: PathPlace, end: string | undefined, count: number): PathRun;
}

export interface ViewTables {
  readonly entries: EntryRows;
  readonly past: PastRows;
  readonly snapshots: SnapshotRows;
}

/** Whether rows are checked against their sums. Who reads them unchecked looks at that itself. */
export type Checking = "checked" | "unchecked";

/** The tree's own rows that `isSeen`. */
// oxlint-disable-next-line max-params -- the four are of four types
export function ownView(
  { entries }: ViewTables,
  treeId: number,
  isSeen: (row: EntryRow) => boolean,
  checking: Checking = "checked",
): RowView {
  return {
    find(path) {
      const row = entries.find(treeId, path);
      return row !== undefined && isSeen(row) ? row : undefined;
    },
    run(start, end, count) {
      const read = entries.peek(treeId, start, { end, limit: count });
      const rows = read.filter(isSeen);
      if (checking === "checked") for (const row of rows) entries.check(row);
      return { rows, next: nextOf(read, count) };
    },
  };
}

/** A tree as a snapshot at `position` sees it: rows from before it that still stand, and those that stood then. */
export function snapshotView(
  tables: ViewTables,
  snapshot: { readonly treeId: number; readonly position: number },
  checking: Checking = "checked",
): RowView {
  const { treeId, position } = snapshot;
  return merged(
    ownView(tables, treeId, (row) => row.position <= position, checking),
    pastView(tables, snapshot, checking),
  );
}

function pastView(
  { past }: ViewTables,
  { treeId, position }: { readonly treeId: number; readonly position: number },
  checking: Checking,
): RowView {
  return {
    find: (path) => past.find(treeId, path, position),
    run(start, end, count) {
      const read = past.peek(treeId, behindPlace(start), { end, limit: count });
      const next = nextOf(read, count);
      const rows: EntryRow[] = [];
      for (const row of read) {
        // The last path may have more rows than were read; it is looked up by itself.
        if (next !== undefined && row.path === next.path) continue;
        if (row.position > position || row.until <= position) continue;
        rows.push(row);
      }
      const last = next === undefined ? undefined : past.peekAt(treeId, next.path, position);
      if (last !== undefined) rows.push(last);
      if (checking === "checked") for (const row of rows) past.check(row);
      return { rows, next };
    },
  };
}

/** A tree in which a prefix is being moved or deleted, as it will be. */
export function prefixJobView(tables: ViewTables, job: PrefixJob): RowView {
  const rest = ownView(tables, job.treeId, (row) => !isSubject(row, job));
  const { target } = job;
  if (target === null) return rest;
  return merged(
    rest,
    translated(
      ownView(tables, job.treeId, (row) => isSubject(row, job)),
      { ...job, target },
    ),
  );
}

/** Whether the job is about the row: below its prefix, and from before it began. */
export function isSubject(row: Pick<EntryRow, "path" | "position">, job: PrefixJob): boolean {
  return row.position < job.position && row.path.startsWith(job.source);
}

/** Rows below one prefix, seen below another, as if the job had written them. */
function translated(view: RowView, job: PrefixJob & { readonly target: string }): RowView {
  const { source, target, position } = job;
  const targetEnd = textAfterPrefix(target);
  const there = (path: string): string => target + path.slice(source.length);
  const moved = (row: EntryRow): EntryRow => ({
    ...row,
    path: there(row.path) as EntryPath,
    position,
  });
  return {
    find(path) {
      if (!path.startsWith(target)) return undefined;
      const row = view.find((source + path.slice(target.length)) as EntryPath);
      return row === undefined ? undefined : moved(row);
    },
    run(start, end, count) {
      const none: PathRun = { rows: [], next: undefined };
      const isBehind = targetEnd !== undefined && compareText(start.path, targetEnd) >= 0;
      if (isBehind || (end !== undefined && compareText(end, target) <= 0)) return none;
      const from: PathPlace = start.path.startsWith(target)
        ? { path: source + start.path.slice(target.length), bound: start.bound }
        : { path: source, bound: ">=" };
      const to = end?.startsWith(target) === true ? source + end.slice(target.length) : undefined;
      const run = view.run(from, to ?? textAfterPrefix(source), count);
      return {
        rows: run.rows.map(moved),
        next: run.next && { path: there(run.next.path), bound: run.next.bound },
      };
    },
  };
}

/** A tree whose rows are still being copied: its own rows, then what is not yet copied. */
export function cloneView(tables: ViewTables, treeId: number, base: CloneBase): RowView {
  return merged(
    ownView(tables, treeId, () => true),
    uncopiedView(tables, treeId, base),
  );
}

/** What a copy shows of its base as long as it is not in rows of its own. */
// oxlint-disable-next-line max-params -- the four are of four types
export function uncopiedView(
  tables: ViewTables,
  treeId: number,
  base: CloneBase,
  checking: Checking = "checked",
): RowView {
  const { entries, snapshots } = tables;
  const isLeft = (path: EntryPath): boolean =>
    compareText(path, base.copied) > 0 &&
    !snapshots.isWhitedOut(treeId, path) &&
    !entries.has(treeId, path);
  const left = filtered(snapshotView(tables, base.snapshot, checking), (row) => isLeft(row.path));
  const behindCopied: PathPlace = { path: base.copied, bound: ">" };
  return {
    find: (path) => left.find(path),
    run: (start, end, count) =>
      left.run(isBefore(base.copied, start) ? start : behindCopied, end, count),
  };
}

/** Without the rows whose time is over at `nowMs`. */
export function unexpired(view: RowView, nowMs: number): RowView {
  return filtered(view, (row) => !isExpired(row, nowMs));
}

function filtered(view: RowView, isSeen: (row: EntryRow) => boolean): RowView {
  return {
    find(path) {
      const row = view.find(path);
      return row !== undefined && isSeen(row) ? row : undefined;
    },
    run(start, end, count) {
      const { rows, next } = view.run(start, end, count);
      return { rows: rows.filter(isSeen), next };
    },
  };
}

/** Two views with no path in common, as one. */
function merged(left: RowView, right: RowView): RowView {
  return {
    find: (path) => left.find(path) ?? right.find(path),
    run: (start, end, count) =>
      mergeRuns(left.run(start, end, count), right.run(start, end, count)),
  };
}

/** Rows up to where both runs are complete. */
function mergeRuns(left: PathRun, right: PathRun): PathRun {
  const next = firstOf(left.next, right.next);
  const rows: EntryRow[] = [];
  let index = 0;
  const isComplete = (row: EntryRow): boolean => next === undefined || isBefore(row.path, next);
  for (const row of left.rows) {
    if (!isComplete(row)) break;
    for (let other = right.rows[index]; other !== undefined; other = right.rows[index]) {
      if (compareText(other.path, row.path) > 0) break;
      rows.push(other);
      index += 1;
    }
    rows.push(row);
  }
  for (const row of right.rows.slice(index)) if (isComplete(row)) rows.push(row);
  return { rows, next };
}

function nextOf(read: readonly StoredEntry[], count: number): PathPlace | undefined {
  const last = read.length < count ? undefined : read.at(-1);
  return last && { path: last.path, bound: ">" };
}
