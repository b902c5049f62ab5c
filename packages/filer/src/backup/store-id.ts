import { type Migration, type Random, type SqlDatabase, migrate } from "@kelp/base";

const MIGRATIONS: readonly Migration[] = [
  { version: 1, sql: "CREATE TABLE backup_store (id TEXT NOT NULL)" },
];

/** The id of the store, made when it is asked for first: chunks of one store have one address for ever. */
export function storeIdOf(database: SqlDatabase, random: Pick<Random, "uuid">): string {
  migrate(database, "backup", MIGRATIONS);
  return database.transaction(() => {
    const row = database.prepare<{ id: string }>("SELECT id FROM backup_store").get();
    if (row !== undefined) return row.id;
    const id = random.uuid();
    database.prepare("INSERT INTO backup_store (id) VALUES (?)").run(id);
    return id;
  });
}

/** Makes a restored database one of a store of its own: from here on its addresses and those of the source go different ways. */
export function beginRestoredStore(database: SqlDatabase, id: string): void {
  migrate(database, "backup", MIGRATIONS);
  database.transaction(() => {
    database.execute("DELETE FROM backup_store;");
    database.prepare("INSERT INTO backup_store (id) VALUES (?)").run(id);
  });
}
