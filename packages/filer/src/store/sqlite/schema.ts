import type { Migration } from "@kelp/base";

/**
 * Paths are TEXT in the default collation: memcmp of UTF-8, the order that the port demands.
 *
 * Entries hold only what a listing or a condition needs; content stands in `contents`, whose ids are positions and so
 * only ever appended: pages of the entry tree stay dense, and a listing never steps over bodies.
 * `chunk_refs` has a row exactly for every chunk that an entry or part names. `content_id` 0 is empty content.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE trees (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        owner TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        quota_bytes INTEGER,
        usage_bytes INTEGER NOT NULL DEFAULT 0,
        usage_entries INTEGER NOT NULL DEFAULT 0,
        usage_chunks INTEGER NOT NULL DEFAULT 0,
        attributes TEXT NOT NULL
      );
      CREATE TABLE entries (
        tree_id INTEGER NOT NULL,
        path TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        modified_ms INTEGER NOT NULL,
        etag TEXT NOT NULL,
        chunk_count INTEGER NOT NULL,
        position INTEGER NOT NULL,
        content_id INTEGER NOT NULL,
        attributes TEXT NOT NULL,
        PRIMARY KEY (tree_id, path)
      ) WITHOUT ROWID;
      CREATE TABLE contents (
        id INTEGER PRIMARY KEY,
        bytes BLOB NOT NULL
      );
      CREATE TABLE chunk_refs (
        address BLOB PRIMARY KEY,
        size_bytes INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE garbage (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        freed_ms INTEGER NOT NULL,
        chunks BLOB NOT NULL
      );
      CREATE TABLE uploads (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        tree_id INTEGER NOT NULL,
        path TEXT NOT NULL,
        owner TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        attributes TEXT NOT NULL
      );
      CREATE UNIQUE INDEX uploads_by_path ON uploads (tree_id, path, id);
      CREATE TABLE parts (
        upload INTEGER NOT NULL,
        number INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        modified_ms INTEGER NOT NULL,
        etag TEXT NOT NULL,
        chunk_count INTEGER NOT NULL,
        attributes TEXT NOT NULL,
        chunks BLOB NOT NULL,
        PRIMARY KEY (upload, number)
      ) WITHOUT ROWID;
      CREATE TABLE completed_uploads (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        tree_id INTEGER NOT NULL,
        path TEXT NOT NULL,
        content_id INTEGER NOT NULL,
        digest BLOB NOT NULL
      );
      CREATE TABLE changes (
        position INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        tree TEXT NOT NULL,
        path TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        etag TEXT NOT NULL
      );
    `,
  },
  {
    // Checksums of rows, see `row-sums.ts`. Null in rows from before.
    version: 20,
    sql: `
      ALTER TABLE entries ADD COLUMN sum INTEGER;
      ALTER TABLE contents ADD COLUMN sum INTEGER;
      ALTER TABLE parts ADD COLUMN sum INTEGER;
      ALTER TABLE uploads ADD COLUMN sum INTEGER;
    `,
  },
];
