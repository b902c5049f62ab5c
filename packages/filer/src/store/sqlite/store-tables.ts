import type { Clock, Hashes, Random, SqlDatabase } from "@kelp/base";
import { TREE_CACHE_MAX } from "../../limits.ts";
import { ChangeRows } from "./change-rows.ts";
import { ContentRows } from "./content-rows.ts";
import { EntryRows } from "./entry-rows.ts";
import { TreeRows } from "./tree-rows.ts";
import { UploadRows } from "./upload-rows.ts";

/** The tables of one database and what operations on them need besides. */
export interface StoreTables {
  readonly trees: TreeRows;
  readonly entries: EntryRows;
  readonly contents: ContentRows;
  readonly uploads: UploadRows;
  readonly changes: ChangeRows;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
}

export interface StoreTablesOptions {
  readonly database: SqlDatabase;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  readonly writer?: "this-process" | "another-process";
}

/** Prepares all statements; the schema must be there. */
export function openStoreTables(options: StoreTablesOptions): StoreTables {
  const { database, clock, random, hashes } = options;
  return {
    trees: new TreeRows(database, options.writer === "another-process" ? 0 : TREE_CACHE_MAX),
    entries: new EntryRows(database, hashes),
    contents: new ContentRows(database, hashes),
    uploads: new UploadRows(database, hashes),
    changes: new ChangeRows(database),
    clock,
    random,
    hashes,
  };
}
