import { type SqlDatabase, type SqlStatement, must } from "@kelp/base";
import type { Fid } from "@kelp/wire";
import { CHUNK_RECORD_BYTES, decodeChunks, encodeFid } from "../entry/chunk-list.ts";
import { BackupError } from "../errors.ts";
import { BACKUP_ROWS_AT_ONCE } from "../limits.ts";

/** Which chunks a copy of the filer's database names, and up to where its history goes. */
export class NamedChunks {
  readonly #select: SqlStatement<{ address: Uint8Array }>;
  readonly #find: SqlStatement<{ found: number }>;
  readonly #count: SqlStatement<{ count: number }>;
  readonly #position: SqlStatement<{ position: number | null }>;

  constructor(database: SqlDatabase) {
    this.#select = database.prepare(
      "SELECT address FROM chunk_refs WHERE address > ? ORDER BY address LIMIT ?",
    );
    this.#find = database.prepare("SELECT 1 AS found FROM chunk_refs WHERE address = ?");
    this.#count = database.prepare("SELECT count(*) AS count FROM chunk_refs");
    this.#position = database.prepare("SELECT max(position) AS position FROM changes");
  }

  get count(): number {
    return must(this.#count.get()).count;
  }

  get position(): number {
    return this.#position.get()?.position ?? 0;
  }

  has(fid: Fid): boolean {
    return this.#find.get(encodeFid(fid)) !== undefined;
  }

  /** By volume and needle. */
  *all(): Generator<Fid> {
    let after: Uint8Array | undefined = new Uint8Array(0);
    while (after !== undefined) {
      const rows: { address: Uint8Array }[] = this.#select.all(after, BACKUP_ROWS_AT_ONCE);
      for (const { address } of rows) yield fidOf(address);
      after = rows.length < BACKUP_ROWS_AT_ONCE ? undefined : rows.at(-1)?.address;
    }
  }
}

/** Refuses a database file that SQLite finds damaged. Reads all of it. */
export function checkDatabase(
  database: SqlDatabase,
  name: string,
  code: "source-damaged" | "backup-damaged",
): void {
  const found = database.prepare<{ quick_check: string }>("PRAGMA quick_check(1)").get();
  if (found?.quick_check === "ok") return;
  throw new BackupError(code, `${name} is damaged: ${found?.quick_check ?? "it cannot be read"}`);
}

function fidOf(address: Uint8Array): Fid {
  const record = new Uint8Array(CHUNK_RECORD_BYTES);
  record.set(address);
  const chunk = decodeChunks(record)?.[0];
  if (chunk === undefined) throw new BackupError("source-damaged", "a chunk has no address");
  return chunk.fid;
}
