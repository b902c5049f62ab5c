import type { Clock, Hashes, Random, SqlDatabase } from "@kelp/base";
import { ChangeRows } from "./change-rows.ts";
import { ContentRows } from "./content-rows.ts";
import { EntryRows } from "./entry-rows.ts";
import { JobRows } from "./job-rows.ts";
import { RowMoves } from "./row-moves.ts";
import { PastRows } from "./past-rows.ts";
import { SnapshotRows } from "./snapshot-rows.ts";
import { TreeReads } from "./tree-reads.ts";
import { TreeRows } from "./tree-rows.ts";
import { UploadRows } from "./upload-rows.ts";

/** The tables of one database and what operations on them need besides. */
export interface StoreTables {
  readonly trees: TreeRows;
  readonly entries: EntryRows;
  readonly past: PastRows;
  readonly contents: ContentRows;
  readonly snapshots: SnapshotRows;
  readonly jobs: JobRows;
  readonly uploads: UploadRows;
  readonly changes: ChangeRows;
  readonly reads: TreeReads;
  readonly moves: RowMoves;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
}

export interface StoreTablesOptions {
  readonly database: SqlDatabase;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
}

/** Prepares all statements; the schema must be there. */
export function openStoreTables(options: StoreTablesOptions): StoreTables {
  const { database, clock, random, hashes } = options;
  const snapshots = new SnapshotRows(database);
  const jobs = new JobRows(database);
  const rows = {
    trees: new TreeRows(database, { snapshots, jobs }),
    snapshots,
    jobs,
    entries: new EntryRows(database, hashes),
    past: new PastRows(database, hashes),
    contents: new ContentRows(database, hashes),
    uploads: new UploadRows(database, hashes),
    changes: new ChangeRows(database),
    clock,
    random,
    hashes,
  };
  const tables: Omit<StoreTables, "moves"> = { ...rows, reads: new TreeReads(rows) };
  return { ...tables, moves: new RowMoves(tables) };
}
