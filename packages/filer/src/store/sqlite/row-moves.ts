import type { EntryPath } from "@kelp/wire";
import { compareText } from "../../list/text-order.ts";
import type { EntryRow } from "./entry-row.ts";
import type { IsSound } from "./entry-rows.ts";
import { isSubject, snapshotView } from "./row-view.ts";
import type { StoreTables } from "./store-tables.ts";
import type { TreeState } from "./tree-rows.ts";

/**
 * What happens to rows beneath the operations: a replaced row is kept while a snapshot sees it, and where a tree shows
 * rows that stand elsewhere they are brought to their place before an operation looks at them, so that operations know only
 * rows in their places. Everything here runs inside a transaction; bringing rows home changes nothing that a reader sees.
 */
export class RowMoves {
  readonly #tables: Omit<StoreTables, "moves">;

  constructor(tables: Omit<StoreTables, "moves">) {
    this.#tables = tables;
  }

  /**
   * Ends a row with the change at `until`; the caller removes or replaces it. Kept for the snapshots that see it, else its
   * content is freed, unless the row goes on elsewhere with it (`keep-content`).
   */
  retire(
    tree: TreeState,
    row: EntryRow,
    how: {
      readonly until: number;
      readonly content: "free-content" | "keep-content";
      readonly isSound?: IsSound;
    },
  ): void {
    const { past, contents, clock } = this.#tables;
    const { until, content, isSound = "sound" } = how;
    if (row.position <= tree.snapshotPosition) {
      past.insert(tree.id, row, { until, isSound });
      if (content === "keep-content") contents.share(row.contentId);
    } else if (content === "free-content" && isSound === "sound") {
      // Of a damaged row it is not certain which content is its own: what it names stays.
      contents.release(row.contentId, row.chunkCount, clock.nowMs());
    }
  }

  /** The tree's own row of a path, after bringing home what the tree shows there. Its time may be over. */
  current(tree: TreeState, path: EntryPath): EntryRow | undefined {
    if (tree.prefixJob !== undefined) this.#settlePrefix(tree, path);
    if (tree.base !== undefined) this.#settleCopy(tree, path);
    return this.#tables.entries.find(tree.id, path);
  }

  /** Removes the tree's own row of a path for good. */
  delete(tree: TreeState, path: EntryPath): void {
    this.#tables.entries.delete(tree.id, path);
    if (this.#baseRow(tree, path) !== undefined) this.#tables.snapshots.whiteOut(tree.id, path);
  }

  /** Does to one row what the tree's prefix job does to all. */
  moveSubject(tree: TreeState, row: EntryRow, isSound: IsSound): void {
    const { entries, trees } = this.#tables;
    const job = tree.prefixJob;
    if (job === undefined) return;
    const until = job.position;
    entries.delete(tree.id, row.path);
    if (job.target === null) {
      this.retire(tree, row, { until, content: "free-content", isSound });
      trees.count(tree, { bytes: -row.sizeBytes, entries: -1, chunks: -row.chunkCount });
      return;
    }
    this.retire(tree, row, { until, content: "keep-content", isSound });
    const path = (job.target + row.path.slice(job.source.length)) as EntryPath;
    entries.putMoved(tree.id, { ...row, path, position: until }, isSound);
  }

  /** Puts a row of the base into the copy. Its usage was counted when the copy was made. */
  copyRow(tree: TreeState, row: EntryRow, isSound: IsSound): void {
    this.#tables.entries.putMoved(tree.id, row, isSound);
    this.#tables.contents.share(row.contentId);
  }

  #settlePrefix(tree: TreeState, path: EntryPath): void {
    const job = tree.prefixJob;
    if (job === undefined) return;
    const { entries } = this.#tables;
    const own = path.startsWith(job.source) ? entries.find(tree.id, path) : undefined;
    if (own !== undefined && isSubject(own, job)) this.moveSubject(tree, own, "sound");
    if (job.target === null || !path.startsWith(job.target)) return;
    const source = (job.source + path.slice(job.target.length)) as EntryPath;
    const moved = entries.find(tree.id, source);
    if (moved !== undefined && isSubject(moved, job)) this.moveSubject(tree, moved, "sound");
  }

  #settleCopy(tree: TreeState, path: EntryPath): void {
    const { entries, snapshots } = this.#tables;
    const row = this.#baseRow(tree, path);
    if (row === undefined || entries.find(tree.id, path) !== undefined) return;
    if (!snapshots.isWhitedOut(tree.id, path)) this.copyRow(tree, row, "sound");
  }

  /** What the base of a copy has at a path that was not copied yet. */
  #baseRow({ base }: TreeState, path: EntryPath): EntryRow | undefined {
    if (base === undefined || compareText(path, base.copied) <= 0) return undefined;
    return snapshotView(this.#tables, base.snapshot).find(path);
  }
}
