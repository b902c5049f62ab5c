import { Database, type Statement } from "bun:sqlite";
import { assert } from "../assert.ts";
import type { SqlDatabase, SqlStatement, SqlValue } from "../database.ts";
import { type LogIndex, mapLogIndex } from "./log-index.ts";
import { TurnReads } from "./turn-reads.ts";

/**
 * Pages that a connection keeps, at most. With SQLite's own 2 MB nearly every look at an entry of a large folder reads
 * its pages from the system again: 5 µs of a read's 19, half of it with these.
 */
const PAGE_CACHE_KIB = 16 * 1024;

/**
 * Opens an SQLite file in WAL mode with `synchronous=FULL`: a committed transaction is on stable storage.
 * `:memory:` gives a private database for tests. One that is only read must be there and is left as it is, its log
 * included; changes that another process committed are seen by every statement begun afterwards. One that is written must be changed by
 * no other connection: what it reads within a turn of the event loop is of one state, or of what it wrote itself meanwhile.
 */
export function openDatabase(
  path: string,
  access: "read-write" | "read-only" = "read-write",
): SqlDatabase {
  if (access === "read-only") {
    const index = mapLogIndex(path);
    const reader = new Database(path, { readonly: true, strict: true });
    reader.exec(`PRAGMA busy_timeout=5000; PRAGMA cache_size=-${PAGE_CACHE_KIB};`);
    return new SystemDatabase(reader, { index });
  }
  const database = new Database(path, { create: true, readwrite: true, strict: true });
  database.exec(
    `PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000;
     PRAGMA cache_size=-${PAGE_CACHE_KIB};`,
  );
  return new SystemDatabase(database, { turnReads: new TurnReads(database) });
}

class SystemDatabase implements SqlDatabase {
  readonly #database: Database;
  /** Prepared: parsed anew for each read, they cost as much as a read. */
  readonly #begin: Statement;
  readonly #beginWriting: Statement;
  readonly #commit: Statement;
  readonly #index: LogIndex | undefined;
  /** Not of one that others change, and whose readers their log has to wait for. */
  readonly #turnReads: TurnReads | undefined;
  #version: (() => number) | undefined;
  #depth = 0;
  #isOpen = true;

  constructor(
    database: Database,
    parts: { readonly index?: LogIndex | undefined; readonly turnReads?: TurnReads },
  ) {
    this.#index = parts.index;
    this.#turnReads = parts.turnReads;
    this.#database = database;
    this.#begin = database.prepare("BEGIN");
    this.#beginWriting = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
  }

  execute(sql: string): void {
    this.#turnReads?.end();
    this.#database.exec(sql);
  }

  prepare<Row>(sql: string): SqlStatement<Row> {
    return new SystemStatement<Row>(this.#database.prepare(sql), sql, this.#turnReads);
  }

  transaction<Value>(work: () => Value): Value {
    if (this.#depth > 0) return work();
    this.#turnReads?.stop();
    try {
      this.#beginWriting.run();
      this.#depth = 1;
      const value = work();
      assert(!(value instanceof Promise), "a transaction does not wait");
      this.#commit.run();
      return value;
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth = 0;
      this.#turnReads?.resume();
    }
  }

  snapshot<Value>(work: () => Value): Value {
    assert(this.#depth === 0, "a snapshot is taken outside of transactions");
    this.#turnReads?.stop();
    try {
      this.#begin.run();
      try {
        return work();
      } finally {
        this.#commit.run();
      }
    } finally {
      this.#turnReads?.resume();
    }
  }

  version(): number {
    this.#version ??= this.#openVersion();
    return this.#version();
  }

  /** By the index of the log, or else by a statement: 4 µs, most of it locks. */
  #openVersion(): () => number {
    const select = this.#database.prepare<{ data_version: number }, []>("PRAGMA data_version");
    const ask = (): number => select.get()?.data_version ?? 0;
    // It is a read as well: from here on this connection has the index open.
    ask();
    const index = this.#index;
    return index?.isInPlace() === true ? index.version : ask;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#turnReads?.end();
    this.#database.close(false);
  }
}

/** Nothing that begins with this word writes. */
const ONLY_READS = /^\s*SELECT\b/i;

class SystemStatement<Row> implements SqlStatement<Row> {
  readonly #statement: Statement<Row, SqlValue[]>;
  readonly #turnReads: TurnReads | undefined;
  readonly #onlyReads: boolean;

  constructor(statement: Statement, sql: string, turnReads: TurnReads | undefined) {
    this.#statement = statement as Statement<Row, SqlValue[]>;
    this.#turnReads = turnReads;
    this.#onlyReads = ONLY_READS.test(sql);
  }

  get(...values: SqlValue[]): Row | undefined {
    this.#begins();
    return this.#statement.get(...values) ?? undefined;
  }

  all(...values: SqlValue[]): Row[] {
    this.#begins();
    return this.#statement.all(...values);
  }

  run(...values: SqlValue[]): number {
    this.#begins();
    return this.#statement.run(...values).changes;
  }

  #begins(): void {
    if (this.#turnReads === undefined) return;
    if (this.#onlyReads) this.#turnReads.reading();
    else this.#turnReads.end();
  }
}
