/**
 * A process whose calls are watched: commits rows to a database and prints a line for each commit. Started by
 * `sqlite-trace.test.ts` with the file and the number of commits.
 */
import { writeSync } from "node:fs";
import { must } from "@kelp/base";
import { openDatabase } from "@kelp/base/platform";
import { applyCommit, createTable } from "../sqlite-history.ts";

const [, , file, count] = process.argv;
using database = openDatabase(must(file));
database.execute("PRAGMA wal_autocheckpoint = 24");
createTable(database);
writeSync(1, "committed 0\n");
for (let commit = 1; commit <= Number(count); commit += 1) {
  applyCommit(database, commit);
  writeSync(1, `committed ${commit}\n`);
}
