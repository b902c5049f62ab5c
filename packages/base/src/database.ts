/**
 * Embedded SQL as a port (SQLite's model: one writer, synchronous calls, prepared statements).
 * Values are numbers (safe integers), bigint, text, bytes or null. Integers come back as numbers.
 */
export type SqlValue = string | number | bigint | Uint8Array | null;

export interface SqlStatement<Row> {
  /** First row, or `undefined`. */
  get(...values: SqlValue[]): Row | undefined;
  all(...values: SqlValue[]): Row[];
  /** Rows changed. */
  run(...values: SqlValue[]): number;
}

export interface SqlDatabase extends Disposable {
  /** Runs statements without values: schema and pragmas. */
  execute(sql: string): void;
  /** Prepared once, used often. `Row` is trusted: the schema is this room's own. */
  prepare<Row>(sql: string): SqlStatement<Row>;
  /** All of `work` or nothing. Nested calls join the outer transaction. Throws what `work` throws, after rollback. */
  transaction<Value>(work: () => Value): Value;
  /** All reads that `work` makes before it returns see one state of the database. Not inside a transaction. */
  snapshot<Value>(work: () => Value): Value;
  /**
   * Another number than before when another connection has committed since. What is read afterwards is of that state or of a newer one.
   * Costs less than any statement.
   */
  version(): number;
}

/** A forward-only schema step. `version` counts from 1 without gaps. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

/**
 * Brings one named schema of a database to the newest version, in one transaction per step.
 * Several rooms may share a database under different names. A newer version than known is refused.
 */
export function migrate(
  database: SqlDatabase,
  schemaName: string,
  migrations: readonly Migration[],
): void {
  database.execute(
    "CREATE TABLE IF NOT EXISTS schema_versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
  );
  const row = database
    .prepare<{ version: number }>("SELECT version FROM schema_versions WHERE name = ?")
    .get(schemaName);
  const current = row?.version ?? 0;
  const newest = migrations.at(-1)?.version ?? 0;
  if (current > newest) {
    throw new Error(
      `Cannot open schema ${schemaName}: it has version ${current}, this program knows up to ${newest}`,
    );
  }
  for (const step of migrations) {
    if (step.version <= current) continue;
    database.transaction(() => {
      database.execute(step.sql);
      database
        .prepare("INSERT OR REPLACE INTO schema_versions (name, version) VALUES (?, ?)")
        .run(schemaName, step.version);
    });
  }
}
