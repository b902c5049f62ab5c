import type { SqlDatabase } from "@kelp/base";

/** Transactions that follow from their number, so that what a database holds tells how many it has seen. */

const ROWS = 12;

export function createTable(database: SqlDatabase): void {
  database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, number INTEGER, bytes BLOB)");
}

/** Replaces one row, and removes another every third time. */
export function applyCommit(database: SqlDatabase, commit: number): void {
  database.transaction(() => {
    database
      .prepare("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)")
      .run(commit % ROWS, commit, bytesOf(commit));
    if (commit % 3 === 0)
      database.prepare("DELETE FROM rows WHERE id = ?").run((commit + 5) % ROWS);
  });
}

/** The rows after that many commits, as text. */
export function rowsAfter(commits: number): string {
  const rows = new Map<number, string>();
  for (let commit = 1; commit <= commits; commit += 1) {
    rows.set(commit % ROWS, `${commit} ${Buffer.from(bytesOf(commit)).toString("base64")}`);
    if (commit % 3 === 0) rows.delete((commit + 5) % ROWS);
  }
  return textOf([...rows].sort(([left], [right]) => left - right));
}

/** `undefined` when there is no table yet. Throws when the database is damaged. */
export function rowsIn(database: SqlDatabase): string | undefined {
  const integrity = database.prepare<{ integrity_check: string }>("PRAGMA integrity_check").get();
  if (integrity?.integrity_check !== "ok") throw new Error(`Damaged: ${JSON.stringify(integrity)}`);
  const tables = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'rows'").all();
  if (tables.length === 0) return undefined;
  const rows = database
    .prepare<{ id: number; number: number; bytes: Uint8Array }>("SELECT * FROM rows ORDER BY id")
    .all();
  return textOf(
    rows.map(({ id, number, bytes }) => [id, `${number} ${Buffer.from(bytes).toString("base64")}`]),
  );
}

function textOf(rows: readonly (readonly [number, string])[]): string {
  return rows.map(([id, content]) => `${id} ${content}`).join("\n");
}

function bytesOf(commit: number): Uint8Array {
  return new Uint8Array(400 + ((commit * 1733) % 6000)).fill(commit & 0xff);
}
