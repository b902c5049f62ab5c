import type { Migration } from "@kelp/base";

/** Tables of the engine. Times are milliseconds, 0 is unset; `sequence` gives rows a stable order. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE runs (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id TEXT NOT NULL UNIQUE,
        experiment_id TEXT NOT NULL,
        display_name TEXT NOT NULL,
        description TEXT NOT NULL,
        namespace TEXT NOT NULL,
        storage_state TEXT NOT NULL,
        state TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        scheduled_ms INTEGER NOT NULL,
        finished_ms INTEGER NOT NULL,
        pipeline_id TEXT NOT NULL,
        pipeline_version_id TEXT NOT NULL,
        recurring_run_id TEXT NOT NULL,
        service_account TEXT NOT NULL,
        pipeline_name TEXT NOT NULL,
        spec_json TEXT NOT NULL,
        platform_spec_json TEXT,
        runtime_config_json TEXT NOT NULL,
        error_json TEXT,
        state_history_json TEXT NOT NULL
      );
      CREATE INDEX runs_by_created ON runs (created_ms, sequence);
      CREATE INDEX runs_by_experiment ON runs (experiment_id, created_ms, sequence);
      CREATE INDEX runs_by_state ON runs (state);
      CREATE INDEX runs_by_recurring ON runs (recurring_run_id);
      CREATE TABLE tasks (
        task_id TEXT PRIMARY KEY,
        run_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        parent_task_id TEXT,
        name TEXT NOT NULL,
        display_name TEXT NOT NULL,
        kind TEXT NOT NULL,
        iteration_index INTEGER,
        state TEXT NOT NULL,
        is_cached INTEGER NOT NULL,
        depends_on_json TEXT NOT NULL,
        inputs_json TEXT NOT NULL,
        outputs_json TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        created_ms INTEGER NOT NULL,
        started_ms INTEGER NOT NULL,
        finished_ms INTEGER NOT NULL,
        error TEXT,
        fingerprint TEXT,
        cached_run_id TEXT,
        cached_task_id TEXT,
        state_history_json TEXT NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX tasks_by_run ON tasks (run_id, sequence);
      CREATE TABLE cache_entries (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_name TEXT NOT NULL,
        namespace TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        run_id TEXT NOT NULL,
        task_id TEXT NOT NULL,
        outputs_json TEXT NOT NULL,
        created_ms INTEGER NOT NULL
      );
      CREATE INDEX cache_entries_by_fingerprint
        ON cache_entries (fingerprint, pipeline_name, namespace, sequence);
    `,
  },
];
