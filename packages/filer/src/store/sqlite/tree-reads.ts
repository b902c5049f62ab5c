import type { Clock } from "@kelp/base";
import type { Entry, EntryHead, EntryPath } from "@kelp/wire";
import type { ContentRows } from "./content-rows.ts";
import type { EntryRow } from "./entry-row.ts";
import { entryOf, headOf, isExpired } from "./entry-rows.ts";
import {
  type RowView,
  type ViewTables,
  cloneView,
  ownView,
  prefixJobView,
  snapshotView,
  unexpired,
} from "./row-view.ts";
import type { SnapshotRow } from "./snapshot-rows.ts";
import type { TreeState } from "./tree-rows.ts";

export interface TreeReadsTables extends ViewTables {
  readonly contents: ContentRows;
  readonly clock: Clock;
}

/** What trees and snapshots show to readers. Nothing here writes. */
export class TreeReads {
  readonly #tables: TreeReadsTables;

  constructor(tables: TreeReadsTables) {
    this.#tables = tables;
  }

  /** `undefined` for the usual tree, which shows just its own rows, all of them. */
  view(tree: TreeState): RowView | undefined {
    const { base, prefixJob } = tree;
    const nowMs = this.#tables.clock.nowMs();
    if (prefixJob !== undefined) return unexpired(prefixJobView(this.#tables, prefixJob), nowMs);
    if (base !== undefined) return unexpired(cloneView(this.#tables, tree.id, base), nowMs);
    if (!tree.hasExpiring) return undefined;
    return unexpired(
      ownView(this.#tables, tree.id, () => true),
      nowMs,
    );
  }

  /** Entries whose time was over when it was taken are absent. */
  snapshotView(snapshot: SnapshotRow): RowView {
    return unexpired(snapshotView(this.#tables, snapshot), snapshot.createdMs);
  }

  find(tree: TreeState, path: EntryPath): EntryRow | undefined {
    const view = this.view(tree);
    return view === undefined ? this.#tables.entries.find(tree.id, path) : view.find(path);
  }

  findWhole(tree: TreeState, path: EntryPath): Entry | undefined {
    const { entries, clock } = this.#tables;
    if (tree.base === undefined && tree.prefixJob === undefined) {
      return entries.findWhole(tree.id, path, clock.nowMs())?.entry;
    }
    return this.wholeOf(this.find(tree, path));
  }

  /** The entry without its content, which is not read. */
  findHead(tree: TreeState, path: EntryPath): EntryHead | undefined {
    const { entries, clock } = this.#tables;
    if (tree.base !== undefined || tree.prefixJob !== undefined) {
      const row = this.find(tree, path);
      return row === undefined ? undefined : headOf(row);
    }
    const row = entries.find(tree.id, path);
    return row === undefined || isExpired(row, clock.nowMs()) ? undefined : headOf(row);
  }

  wholeOf(row: EntryRow | undefined): Entry | undefined {
    if (row === undefined) return undefined;
    return entryOf(row, this.#tables.contents.read(row.contentId, row.chunkCount));
  }
}
