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
  {
    // Quota in entries, lifetimes, snapshots and clones, prefix jobs, and work that is done in the background.
    // What the tables mean: `docs/decisions/0012-snapshots.md` and `docs/decisions/0013-key-layout.md`.
    version: 21,
    sql: `
      ALTER TABLE trees ADD COLUMN quota_entries INTEGER;
      ALTER TABLE trees ADD COLUMN part_bytes INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE trees ADD COLUMN part_chunks INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE trees ADD COLUMN has_expiring INTEGER NOT NULL DEFAULT 0;
      UPDATE trees SET
        part_bytes = coalesce((SELECT sum(size_bytes) FROM parts JOIN uploads ON uploads.number = parts.upload
                               WHERE tree_id = trees.id), 0),
        part_chunks = coalesce((SELECT sum(chunk_count) FROM parts JOIN uploads ON uploads.number = parts.upload
                                WHERE tree_id = trees.id), 0);
      ALTER TABLE entries ADD COLUMN expires_ms INTEGER NOT NULL DEFAULT 0;
      CREATE INDEX entries_by_expiry ON entries (expires_ms) WHERE expires_ms > 0;
      CREATE TABLE past_entries (
        tree_id INTEGER NOT NULL,
        path TEXT NOT NULL,
        until INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        modified_ms INTEGER NOT NULL,
        etag TEXT NOT NULL,
        chunk_count INTEGER NOT NULL,
        position INTEGER NOT NULL,
        content_id INTEGER NOT NULL,
        attributes TEXT NOT NULL,
        expires_ms INTEGER NOT NULL,
        sum INTEGER,
        PRIMARY KEY (tree_id, path, until)
      ) WITHOUT ROWID;
      CREATE TABLE snapshots (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        tree_id INTEGER NOT NULL,
        name TEXT,
        position INTEGER NOT NULL,
        created_ms INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        chunks INTEGER NOT NULL
      );
      CREATE UNIQUE INDEX snapshots_by_name ON snapshots (tree_id, name);
      CREATE TABLE content_shares (
        content_id INTEGER PRIMARY KEY,
        extra INTEGER NOT NULL
      );
      CREATE TABLE clone_bases (
        tree_id INTEGER PRIMARY KEY,
        snapshot_id INTEGER NOT NULL,
        copied TEXT NOT NULL
      );
      CREATE INDEX clone_bases_by_snapshot ON clone_bases (snapshot_id);
      CREATE TABLE whiteouts (
        tree_id INTEGER NOT NULL,
        path TEXT NOT NULL,
        PRIMARY KEY (tree_id, path)
      ) WITHOUT ROWID;
      CREATE TABLE prefix_jobs (
        tree_id INTEGER PRIMARY KEY,
        position INTEGER NOT NULL,
        source TEXT NOT NULL,
        target TEXT
      );
      CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        subject INTEGER NOT NULL,
        path TEXT NOT NULL DEFAULT '',
        until INTEGER NOT NULL DEFAULT 0
      );
      ALTER TABLE changes ADD COLUMN target TEXT NOT NULL DEFAULT '';
    `,
  },
];
