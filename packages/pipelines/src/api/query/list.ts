import type { SqlDatabase, SqlStatement } from "@kelp/base";
import { ApiError } from "../errors.ts";
import { type SqlCondition, joinConditions } from "./condition.ts";
import type { ListSource } from "./fields.ts";
import { parseFilter } from "./filter.ts";
import { type PagePosition, formatPageToken, parsePageToken } from "./page-token.ts";
import { type Sort, parseSort } from "./sort.ts";

export const PAGE_SIZE_DEFAULT = 20;
export const PAGE_SIZE_MAX = 200;
/** Prepared list statements kept; the oldest goes first. Filters make the texts vary. */
const STATEMENTS_MAX = 128;

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Rows of all pages. */
  readonly totalSize: number;
  readonly nextPageToken: string | undefined;
}

interface Sequenced {
  readonly sequence: number;
}

interface Sorted {
  readonly sort_key: string | number;
}

/**
 * Pages through tables by (sort key, sequence), so that rows that come or go between two pages shift nothing.
 * `page_size`: absent or 0 means the default, above the maximum means the maximum.
 */
export class Lists {
  readonly #database: SqlDatabase;
  readonly #statements = new Map<string, SqlStatement<unknown>>();

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  /** `scope` is what the route itself selects. Throws `ApiError` "invalid-argument" for bad parameters. */
  list<Row extends Sequenced>(
    source: ListSource,
    scope: readonly SqlCondition[],
    parameters: URLSearchParams,
  ): Page<Row> {
    const pageSize = parsePageSize(parameters.get("page_size") ?? "");
    const sort = parseSort(source, parameters.get("sort_by") ?? "");
    const filterText = parameters.get("filter") ?? "";
    const chosen = [...scope, ...(filterText === "" ? [] : parseFilter(source, filterText))];
    const query = queryText(source, sort, scope, filterText);

    const token = parameters.get("page_token") ?? "";
    const after = token === "" ? [] : [afterToken(sort, parsePageToken(query, token))];
    // One row more than asked for tells whether there is a next page.
    const found = this.#select<Row>(source, sort, [...chosen, ...after], pageSize + 1);
    const rows = found.slice(0, pageSize);
    const last = found.length > pageSize ? rows.at(-1) : undefined;
    return {
      rows,
      totalSize: this.#count(source, chosen),
      nextPageToken:
        last === undefined
          ? undefined
          : formatPageToken(query, { sortKey: last.sort_key, sequence: last.sequence }),
    };
  }

  #select<Row extends Sequenced>(
    source: ListSource,
    sort: Sort,
    conditions: readonly SqlCondition[],
    limit: number,
  ): (Row & Sorted)[] {
    const { column } = sort.field;
    const { sql, values } = joinConditions(conditions);
    const statement = this.#prepare<Row & Sorted>(
      `SELECT ${source.selection}, ${column} AS sort_key FROM ${source.table} WHERE ${sql}
       ORDER BY ${column} ${sort.direction}, sequence ${sort.direction} LIMIT ?`,
    );
    return statement.all(...values, limit);
  }

  #count(source: ListSource, conditions: readonly SqlCondition[]): number {
    const { sql, values } = joinConditions(conditions);
    const statement = this.#prepare<{ readonly count: number }>(
      `SELECT COUNT(*) AS count FROM ${source.table} WHERE ${sql}`,
    );
    return statement.get(...values)?.count ?? 0;
  }

  #prepare<Row>(sql: string): SqlStatement<Row> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known as SqlStatement<Row>;
    const statement = this.#database.prepare<Row>(sql);
    if (this.#statements.size >= STATEMENTS_MAX) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Digits, or nothing for the default. */
export function parsePageSize(text: string): number {
  if (text === "") return PAGE_SIZE_DEFAULT;
  const size = Number(text);
  if (!/^-?\d+$/.test(text) || size < 0) {
    throw new ApiError(
      "invalid-argument",
      `Cannot list: page_size is ${JSON.stringify(text)}, expected 0 to ${PAGE_SIZE_MAX}`,
    );
  }
  return size === 0 ? PAGE_SIZE_DEFAULT : Math.min(size, PAGE_SIZE_MAX);
}

function afterToken(sort: Sort, position: PagePosition): SqlCondition {
  const operator = sort.direction === "asc" ? ">" : "<";
  return {
    sql: `(${sort.field.column}, sequence) ${operator} (?, ?)`,
    values: [position.sortKey, position.sequence],
  };
}

/** Everything that decides which rows come in which order. */
function queryText(
  source: ListSource,
  sort: Sort,
  scope: readonly SqlCondition[],
  filterText: string,
): string {
  return JSON.stringify([source.table, sort.key, sort.direction, scope, filterText]);
}
