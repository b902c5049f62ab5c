import type { Migration } from "@kelp/base";

/**
 * Identities at rest. Secrets of access keys stand as they are: the server computes the same HMAC as the client, so
 * a hash would not do. They are sealed when the store is; otherwise what keeps them is the mode of the database file and its
 * folder, which only the service's own user may read.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE iam_identities (
        name TEXT PRIMARY KEY,
        is_disabled INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE iam_actions (
        name TEXT NOT NULL REFERENCES iam_identities (name) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        action TEXT NOT NULL,
        PRIMARY KEY (name, position)
      ) WITHOUT ROWID;
      CREATE TABLE iam_statements (
        name TEXT NOT NULL REFERENCES iam_identities (name) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        effect TEXT NOT NULL,
        actions_json TEXT NOT NULL,
        resources_json TEXT NOT NULL,
        PRIMARY KEY (name, position)
      ) WITHOUT ROWID;
      CREATE TABLE iam_keys (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL REFERENCES iam_identities (name) ON DELETE CASCADE,
        secret TEXT NOT NULL,
        is_active INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX iam_keys_by_name ON iam_keys (name);
    `,
  },
  {
    version: 2,
    sql: `
      ALTER TABLE iam_identities ADD COLUMN sum INTEGER;
      ALTER TABLE iam_keys ADD COLUMN sum INTEGER;
    `,
  },
];
