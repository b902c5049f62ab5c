import { type SqlDatabase, type SqlStatement, must } from "@kelp/base";
import { type Fid, parseFid } from "@kelp/wire";
import { BackupError } from "../errors.ts";
import { BACKUP_ROWS_AT_ONCE } from "../limits.ts";

/** The file of the list in a backup. */
export const LOOSE_LIST_NAME = "loose-needles.db";

/** Which loose needles a backup holds, by `looseName`: a database of its own, since there may be more of them than memory. */
export class LooseList {
  readonly #database: SqlDatabase;
  readonly #insert: SqlStatement<unknown>;
  readonly #find: SqlStatement<{ found: number }>;
  readonly #count: SqlStatement<{ count: number }>;
  readonly #select: SqlStatement<{ name: string }>;

  /** `database` is the list's alone: empty, or a list. */
  constructor(database: SqlDatabase) {
    database.execute(
      "PRAGMA synchronous=OFF; CREATE TABLE IF NOT EXISTS needles (name TEXT PRIMARY KEY) WITHOUT ROWID",
    );
    this.#database = database;
    this.#insert = database.prepare("INSERT OR IGNORE INTO needles (name) VALUES (?)");
    this.#find = database.prepare("SELECT 1 AS found FROM needles WHERE name = ?");
    this.#count = database.prepare("SELECT count(*) AS count FROM needles");
    this.#select = database.prepare(
      "SELECT name FROM needles WHERE name > ? ORDER BY name LIMIT ?",
    );
  }

  add(names: readonly string[]): void {
    this.#database.transaction(() => {
      for (const name of names) this.#insert.run(name);
    });
  }

  /** Folds the log into the file, which then is all of it. */
  fold(): void {
    this.#database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  has(name: string): boolean {
    return this.#find.get(name) !== undefined;
  }

  get count(): number {
    return must(this.#count.get()).count;
  }

  *all(): Generator<string> {
    let after: string | undefined = "";
    while (after !== undefined) {
      const rows: { name: string }[] = this.#select.all(after, BACKUP_ROWS_AT_ONCE);
      for (const { name } of rows) yield name;
      after = rows.length < BACKUP_ROWS_AT_ONCE ? undefined : rows.at(-1)?.name;
    }
  }
}

/** The address in a `looseName`. Throws `BackupError` `backup-damaged`. */
export function fidOfLoose(name: string): Fid {
  const fid = parseFid(name.split(" ", 1)[0] ?? "");
  if (fid === undefined) throw new BackupError("backup-damaged", "the list of needles is no list");
  return fid;
}
