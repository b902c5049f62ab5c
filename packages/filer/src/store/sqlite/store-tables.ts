import type { Clock, Hashes, Random, SqlDatabase } from "@kelp/base";
import { ChangeRows } from "./change-rows.ts";
import { ContentRows } from "./content-rows.ts";
import { EntryRows } from "./entry-rows.ts";
import { HotEntries } from "./hot-entries.ts";
import { HotReads } from "./hot-reads.ts";
import { JobRows } from "./job-rows.ts";
import { RowMoves } from "./row-moves.ts";
import { PastRows } from "./past-rows.ts";
import { SnapshotRows } from "./snapshot-rows.ts";
import { TreeReads } from "./tree-reads.ts";
import { TreeRows } from "./tree-rows.ts";
import { UploadRows } from "./upload-rows.ts";
import { HOT_CONTENTS_BYTES_MAX, HOT_HEADS_BYTES_MAX } from "../../limits.ts";

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
  readonly hot: HotEntries;
  readonly hotReads: HotReads;
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
  /** What heads of entries kept in memory may take, and what contents; 0 keeps none. Default `HOT_HEADS_BYTES_MAX` and `HOT_CONTENTS_BYTES_MAX`. */
  readonly hotBytesMax?: number;
}

/** Prepares all statements; the schema must be there. */
export function openStoreTables(options: StoreTablesOptions): StoreTables {
  const { database, clock, random, hashes } = options;
  const snapshots = new SnapshotRows(database);
  const jobs = new JobRows(database);
  const hot = new HotEntries({
    headBytesMax: options.hotBytesMax ?? HOT_HEADS_BYTES_MAX,
    contentBytesMax: options.hotBytesMax ?? HOT_CONTENTS_BYTES_MAX,
  });
  const rows = {
    trees: new TreeRows(database, { snapshots, jobs }),
    snapshots,
    jobs,
    entries: new EntryRows(database, hashes, hot),
    hot,
    past: new PastRows(database, hashes),
    contents: new ContentRows(database, hashes),
    uploads: new UploadRows(database, hashes),
    changes: new ChangeRows(database),
    clock,
    random,
    hashes,
  };
  const reads = new TreeReads(rows);
  const tables: Omit<StoreTables, "moves"> = {
    ...rows,
    reads,
    hotReads: new HotReads({ ...rows, reads }),
  };
  return { ...tables, moves: new RowMoves(tables) };
}
