import { type SqlDatabase, type SqlStatement, assert, must } from "@kelp/base";
import { LIST_KEYS_MAX, type ListItem, type ListPage, type ListQuery } from "@kelp/wire";
import type { PathPlace } from "../../list/path-place.ts";
import { type RolledUpPage, type RowSource, rollUp, rollUpSteps } from "../../list/roll-up.ts";
import { compareText, textAfterPrefix } from "../../list/text-order.ts";
import type { EntryRow } from "./entry-row.ts";
import type { RowView } from "./row-view.ts";

type EntryItem = Extract<ListItem, { kind: "entry" }>;

/** Reads of a page between which nobody else has a turn: a usual page needs one or two. */
const READS_PER_TURN = 4;

const COLUMNS = `'entry' AS kind, path, size_bytes AS sizeBytes, modified_ms AS modifiedMs, etag,
  chunk_count AS chunkCount`;

/** Pages of a tree. Rows come out of the store in the shape of list items, so a page is not built twice. */
export class EntryListing {
  readonly #from: Readonly<Record<PathPlace["bound"], SqlStatement<EntryItem>>>;
  readonly #range: Readonly<Record<PathPlace["bound"], SqlStatement<EntryItem>>>;

  constructor(database: SqlDatabase) {
    const from = (bound: PathPlace["bound"]): SqlStatement<EntryItem> =>
      database.prepare(
        `SELECT ${COLUMNS} FROM entries WHERE tree_id = ? AND path ${bound} ? ORDER BY path LIMIT ?`,
      );
    const range = (bound: PathPlace["bound"]): SqlStatement<EntryItem> =>
      database.prepare(
        `SELECT ${COLUMNS} FROM entries
         WHERE tree_id = ? AND path ${bound} ? AND path < ? ORDER BY path LIMIT ?`,
      );
    this.#from = { ">=": from(">="), ">": from(">") };
    this.#range = { ">=": range(">="), ">": range(">") };
  }

  page(treeId: number, query: ListQuery): ListPage {
    const { prefix, after, delimiter, limit } = parsed(query);
    if (delimiter === undefined) return this.#plainPage(treeId, { prefix, after, limit });
    return pageOf(rollUp(this.#source(treeId), parsed(query)), (row) => row);
  }

  /**
   * The page of a view, which may look at many more rows than it shows: after each read others have their turn. What is
   * written meanwhile may or may not be in the page, as between two pages.
   */
  async viewPage(
    viewNow: () => RowView,
    query: ListQuery,
    turn: () => Promise<void>,
  ): Promise<ListPage> {
    const source: RowSource<EntryRow, PathPlace> = {
      read: (start, end, count) => viewNow().run(start, end, count),
      placeAt: (path) => ({ path, bound: ">=" }),
      pathOf: (row) => row.path,
    };
    const steps = rollUpSteps(source, parsed(query));
    for (let reads = 1; ; reads += 1) {
      const step = steps.next();
      if (step.done === true) return pageOf(step.value, itemOf);
      if (reads % READS_PER_TURN === 0) await turn();
    }
  }

  #plainPage(
    treeId: number,
    query: { readonly prefix: string; readonly after: string | undefined; readonly limit: number },
  ): ListPage {
    const { prefix, after, limit } = query;
    const place: PathPlace =
      after === undefined || compareText(after, prefix) < 0
        ? { path: prefix, bound: ">=" }
        : { path: after, bound: ">" };
    const items = this.#read(treeId, place, textAfterPrefix(prefix), limit + 1);
    if (items.length <= limit) return { items, next: undefined };
    items.pop();
    return { items, next: must(items.at(-1)).path };
  }

  #read(treeId: number, place: PathPlace, end: string | undefined, count: number): EntryItem[] {
    return end === undefined
      ? this.#from[place.bound].all(treeId, place.path, count)
      : this.#range[place.bound].all(treeId, place.path, end, count);
  }

  #source(treeId: number): RowSource<EntryItem, PathPlace> {
    return {
      read: (start, end, count) => {
        const rows = this.#read(treeId, start, end, count);
        const last = rows.length < count ? undefined : rows.at(-1);
        return { rows, next: last && { path: last.path, bound: ">" } };
      },
      placeAt: (path) => ({ path, bound: ">=" }),
      pathOf: (row) => row.path,
    };
  }
}

/** Stored paths are well formed; an ill-formed bound would be stored differently from how it compares. */
function parsed(query: ListQuery): {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  readonly after: string | undefined;
  readonly afterPlace: PathPlace | undefined;
  readonly limit: number;
} {
  assert(query.limit > 0, "a page has room");
  assert(query.limit <= LIST_KEYS_MAX, "a page is bounded");
  const after = query.after?.toWellFormed();
  return {
    prefix: (query.prefix ?? "").toWellFormed(),
    delimiter: query.delimiter === "" ? undefined : query.delimiter,
    after,
    afterPlace: after === undefined ? undefined : { path: after, bound: ">" },
    limit: query.limit,
  };
}

function pageOf<Row>(page: RolledUpPage<Row>, entryItem: (row: Row) => EntryItem): ListPage {
  const items = page.items.map((item) => (item.kind === "row" ? entryItem(item.row) : item));
  return { items, next: page.isTruncated ? textOf(must(items.at(-1))) : undefined };
}

function itemOf(row: EntryRow): EntryItem {
  const { path, sizeBytes, modifiedMs, etag, chunkCount } = row;
  return { kind: "entry", path, sizeBytes, modifiedMs, etag, chunkCount };
}

function textOf(item: ListItem): string {
  return item.kind === "entry" ? item.path : item.prefix;
}
