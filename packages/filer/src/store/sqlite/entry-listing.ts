import { type SqlDatabase, type SqlStatement, assert, must } from "@kelp/base";
import { LIST_KEYS_MAX, type ListItem, type ListPage, type ListQuery } from "@kelp/wire";
import { type RowSource, rollUp } from "../../list/roll-up.ts";
import { compareText, textAfterPrefix } from "../../list/text-order.ts";

type EntryItem = Extract<ListItem, { kind: "entry" }>;

/** A place among paths: at `path`, or behind it. */
interface PathPlace {
  readonly path: string;
  readonly bound: ">=" | ">";
}

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
    assert(query.limit > 0, "a page has room");
    assert(query.limit <= LIST_KEYS_MAX, "a page is bounded");
    // Stored paths are well formed; an ill-formed bound would be stored differently from how it compares.
    const prefix = (query.prefix ?? "").toWellFormed();
    const after = query.after?.toWellFormed();
    const delimiter = query.delimiter === "" ? undefined : query.delimiter;
    if (delimiter === undefined)
      return this.#plainPage(treeId, { prefix, after, limit: query.limit });
    const page = rollUp(this.#source(treeId), {
      prefix,
      delimiter,
      after,
      afterPlace: after === undefined ? undefined : { path: after, bound: ">" },
      limit: query.limit,
    });
    const items = page.items.map((item) => (item.kind === "row" ? item.row : item));
    return { items, next: page.isTruncated ? textOf(must(items.at(-1))) : undefined };
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
      read: (start, end, count) => this.#read(treeId, start, end, count),
      placeAt: (path) => ({ path, bound: ">=" }),
      placeAfter: (row) => ({ path: row.path, bound: ">" }),
      pathOf: (row) => row.path,
    };
  }
}

function textOf(item: ListItem): string {
  return item.kind === "entry" ? item.path : item.prefix;
}
