import { type Migration, type SqlDatabase, migrate } from "@kelp/base";

/** One key of the ring, wrapped by a master key. */
export interface RingRow {
  /** Counts from 1. */
  readonly number: number;
  readonly createdMs: number;
  readonly masterKeyId: string;
  readonly wrapped: Uint8Array;
}

const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE sealing_keys (
        number INTEGER PRIMARY KEY,
        created_ms INTEGER NOT NULL,
        master_key_id TEXT NOT NULL,
        wrapped BLOB NOT NULL
      );
    `,
  },
];

const COLUMNS = "number, created_ms AS createdMs, master_key_id AS masterKeyId, wrapped";

/** The wrapped keys, without touching a database that has none. */
export function readRing(database: SqlDatabase): RingRow[] {
  const table = database
    .prepare<{ found: number }>(
      "SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'sealing_keys'",
    )
    .get();
  if (table === undefined) return [];
  return database.prepare<RingRow>(`SELECT ${COLUMNS} FROM sealing_keys ORDER BY number`).all();
}

/** Puts rows in the place of those of the same numbers: all of them, durable, or none. */
export function writeRing(database: SqlDatabase, rows: readonly RingRow[]): void {
  migrate(database, "sealing", MIGRATIONS);
  const put = database.prepare(
    "INSERT OR REPLACE INTO sealing_keys (number, created_ms, master_key_id, wrapped) VALUES (?, ?, ?, ?)",
  );
  database.transaction(() => {
    for (const row of rows) put.run(row.number, row.createdMs, row.masterKeyId, row.wrapped);
  });
}
