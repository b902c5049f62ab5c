import type { Clock } from "@kelp/base";
import type { Entry, EntryHead, EntryPath } from "@kelp/wire";
import type { ContentRows } from "./content-rows.ts";
import { type EntryRows, headOf, isExpired } from "./entry-rows.ts";
import type { HotEntries, HotEntry } from "./hot-entries.ts";
import type { TreeReads } from "./tree-reads.ts";
import type { TreeState } from "./tree-rows.ts";

export interface HotReadsTables {
  readonly reads: TreeReads;
  readonly entries: EntryRows;
  readonly contents: ContentRows;
  readonly hot: HotEntries;
  readonly clock: Clock;
}

/** What `known…` says when only the database can tell. */
export const UNKNOWN = Symbol("unknown");

/** Single entries as readers ask for them, from memory where they stand there. Callers must be outside of transactions. */
export class HotReads {
  readonly #tables: HotReadsTables;

  constructor(tables: HotReadsTables) {
    this.#tables = tables;
  }

  findWhole(tree: TreeState, path: EntryPath): Entry | undefined {
    const { reads, entries, contents, hot, clock } = this.#tables;
    if (isMarked(tree)) return reads.findWhole(tree, path);
    const nowMs = clock.nowMs();
    const known = hot.find(tree.id, path);
    if (known === undefined) {
      const read = entries.findWhole(tree.id, path, nowMs);
      if (read === undefined) return undefined;
      hot.offerWhole(hot.offer(tree.id, read.row), read.entry);
      return read.entry;
    }
    if (isExpired(known.row, nowMs)) return undefined;
    if (known.whole !== undefined) return known.whole;
    const { contentId, chunkCount } = known.row;
    const whole = { ...headIn(known), content: contents.read(contentId, chunkCount) };
    hot.offerWhole(known, whole);
    return whole;
  }

  findHead(tree: TreeState, path: EntryPath): EntryHead | undefined {
    const { reads, hot, clock } = this.#tables;
    if (isMarked(tree)) return reads.findHead(tree, path);
    const known = hot.find(tree.id, path) ?? this.#read(tree, path);
    return known === undefined || isExpired(known.row, clock.nowMs()) ? undefined : headIn(known);
  }

  /** As `findWhole`, by memory alone. */
  knownWhole(tree: TreeState, path: EntryPath): Entry | undefined | typeof UNKNOWN {
    const known = this.#known(tree, path);
    if (known === undefined) return UNKNOWN;
    if (isExpired(known.row, this.#tables.clock.nowMs())) return undefined;
    return known.whole ?? UNKNOWN;
  }

  /** As `findHead`, by memory alone. */
  knownHead(tree: TreeState, path: EntryPath): EntryHead | undefined | typeof UNKNOWN {
    const known = this.#known(tree, path);
    if (known === undefined) return UNKNOWN;
    return isExpired(known.row, this.#tables.clock.nowMs()) ? undefined : headIn(known);
  }

  #known(tree: TreeState, path: EntryPath): HotEntry | undefined {
    return isMarked(tree) ? undefined : this.#tables.hot.find(tree.id, path);
  }

  #read(tree: TreeState, path: EntryPath): HotEntry | undefined {
    const row = this.#tables.entries.find(tree.id, path);
    return row === undefined ? undefined : this.#tables.hot.offer(tree.id, row);
  }
}

/** Whether the tree shows rows that stand elsewhere. */
function isMarked(tree: TreeState): boolean {
  return tree.base !== undefined || tree.prefixJob !== undefined;
}

function headIn(known: HotEntry): EntryHead {
  known.head ??= headOf(known.row);
  return known.head;
}
