import { type Migration, type SqlDatabase, migrate } from "@kelp/base";
import { SealingError } from "../errors.ts";

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

/** Stands beside the keys from the first of them on, and never goes: a store that lost its ring is not one that never had any. */
const SEALED_MARK = "sealing begun";

/**
 * The wrapped keys, without touching a database that has none. Throws `SealingError` `ring-damaged` when there were keys and
 * are none: what is stored would be unreadable, and what follows would be stored in the open, or under keys that open nothing else.
 */
export function readRing(database: SqlDatabase): RingRow[] {
  const rows = hasTable(database, "sealing_keys")
    ? database.prepare<RingRow>(`SELECT ${COLUMNS} FROM sealing_keys ORDER BY number`).all()
    : [];
  if (rows.length === 0 && isMarkedSealed(database)) {
    throw new SealingError("ring-damaged", "the store is sealed, and its key ring is gone");
  }
  return rows;
}

/** Puts rows in the place of those of the same numbers: all of them, durable, or none. */
export function writeRing(database: SqlDatabase, rows: readonly RingRow[]): void {
  migrate(database, "sealing", MIGRATIONS);
  const put = database.prepare(
    "INSERT OR REPLACE INTO sealing_keys (number, created_ms, master_key_id, wrapped) VALUES (?, ?, ?, ?)",
  );
  database.transaction(() => {
    for (const row of rows) put.run(row.number, row.createdMs, row.masterKeyId, row.wrapped);
    markSealed(database);
  });
}

/** For the stores whose ring is older than the mark, too. */
export function markSealed(database: SqlDatabase): void {
  if (isMarkedSealed(database)) return;
  database.prepare("INSERT INTO schema_versions (name, version) VALUES (?, 1)").run(SEALED_MARK);
}

function isMarkedSealed(database: SqlDatabase): boolean {
  if (!hasTable(database, "schema_versions")) return false;
  const mark = database
    .prepare<{ version: number }>("SELECT version FROM schema_versions WHERE name = ?")
    .get(SEALED_MARK);
  return mark !== undefined;
}

function hasTable(database: SqlDatabase, name: string): boolean {
  const found = database
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?")
    .get(name);
  return found !== undefined;
}
