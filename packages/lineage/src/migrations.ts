import type { Migration } from "@kelp/base";

/** An artifact row never changes; an execution's state does. Uses are unique per task, direction and name. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE artifacts (
        artifact_id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        uri TEXT NOT NULL,
        metadata_json TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        run_id TEXT NOT NULL
      );
      CREATE INDEX artifacts_by_uri ON artifacts (uri);
      CREATE INDEX artifacts_by_type ON artifacts (type, artifact_id);
      CREATE TABLE executions (
        task_id TEXT PRIMARY KEY,
        run_id TEXT NOT NULL,
        run_name TEXT NOT NULL,
        task_name TEXT NOT NULL,
        state TEXT NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX executions_by_run ON executions (run_id);
      CREATE TABLE artifact_uses (
        artifact_id INTEGER NOT NULL,
        task_id TEXT NOT NULL,
        direction TEXT NOT NULL,
        name TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (artifact_id, task_id, direction, name)
      ) WITHOUT ROWID;
      CREATE INDEX artifact_uses_by_task ON artifact_uses (task_id);
    `,
  },
];
