import { Database, type Statement } from "bun:sqlite";
import { assert } from "../assert.ts";
import type { SqlDatabase, SqlStatement, SqlValue } from "../database.ts";
import { mapLogIndex } from "./log-index.ts";

/**
 * Pages that a connection keeps, at most. With SQLite's own 2 MB nearly every look at an entry of a large folder reads
 * its pages from the system again: 5 µs of a read's 19, half of it with these.
 */
const PAGE_CACHE_KIB = 16 * 1024;

/**
 * Opens an SQLite file in WAL mode with `synchronous=FULL`: a committed transaction is on stable storage.
 * `:memory:` gives a private database for tests. One that is only read must be there and is left as it is, its log
 * included; changes that another process committed are seen by every statement begun afterwards.
 */
export function openDatabase(
  path: string,
  access: "read-write" | "read-only" = "read-write",
): SqlDatabase {
  if (access === "read-only") {
    const reader = new Database(path, { readonly: true, strict: true });
    reader.exec(`PRAGMA busy_timeout=5000; PRAGMA cache_size=-${PAGE_CACHE_KIB};`);
    return new SystemDatabase(reader, path);
  }
  const database = new Database(path, { create: true, readwrite: true, strict: true });
  database.exec(
    `PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000;
     PRAGMA cache_size=-${PAGE_CACHE_KIB};`,
  );
  return new SystemDatabase(database, path);
}

class SystemDatabase implements SqlDatabase {
  readonly #database: Database;
  /** Prepared: parsed anew for each read, they cost as much as a read. */
  readonly #begin: Statement;
  readonly #beginWriting: Statement;
  readonly #commit: Statement;
  readonly #path: string;
  #version: (() => number) | undefined;
  #depth = 0;
  #isOpen = true;

  constructor(database: Database, path: string) {
    this.#path = path;
    this.#database = database;
    this.#begin = database.prepare("BEGIN");
    this.#beginWriting = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
  }

  execute(sql: string): void {
    this.#database.exec(sql);
  }

  prepare<Row>(sql: string): SqlStatement<Row> {
    return new SystemStatement<Row>(this.#database.prepare(sql));
  }

  transaction<Value>(work: () => Value): Value {
    if (this.#depth > 0) return work();
    this.#beginWriting.run();
    this.#depth = 1;
    try {
      const value = work();
      assert(!(value instanceof Promise), "a transaction does not wait");
      this.#commit.run();
      return value;
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth = 0;
    }
  }

  snapshot<Value>(work: () => Value): Value {
    assert(this.#depth === 0, "a snapshot is taken outside of transactions");
    this.#begin.run();
    try {
      return work();
    } finally {
      this.#commit.run();
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
    return mapLogIndex(this.#path) ?? ask;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#database.close(false);
  }
}

class SystemStatement<Row> implements SqlStatement<Row> {
  readonly #statement: Statement<Row, SqlValue[]>;

  constructor(statement: Statement) {
    this.#statement = statement as Statement<Row, SqlValue[]>;
  }

  get(...values: SqlValue[]): Row | undefined {
    return this.#statement.get(...values) ?? undefined;
  }

  all(...values: SqlValue[]): Row[] {
    return this.#statement.all(...values);
  }

  run(...values: SqlValue[]): number {
    return this.#statement.run(...values).changes;
  }
}
