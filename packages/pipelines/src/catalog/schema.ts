import { type Migration, type SqlDatabase, migrate } from "@kelp/base";

/**
 * Tables of the catalogue. `sequence` is the order of insertion and breaks ties of equal sort keys; being the row id,
 * it also ends every index, so that an index alone gives a page. Text columns hold '' where nothing was given.
 * `spec_json` is the specification as the API shows it: bare, or wrapped together with a platform specification.
 */
const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE pipelines (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        display_name TEXT NOT NULL,
        description TEXT NOT NULL,
        namespace TEXT NOT NULL,
        tags_json TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        UNIQUE (namespace, name)
      ) STRICT;
      CREATE INDEX pipelines_by_display_name ON pipelines (display_name);
      CREATE INDEX pipelines_by_created ON pipelines (created_ms);

      CREATE TABLE pipeline_versions (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_version_id TEXT NOT NULL UNIQUE,
        pipeline_id TEXT NOT NULL REFERENCES pipelines (pipeline_id),
        name TEXT NOT NULL,
        display_name TEXT NOT NULL,
        description TEXT NOT NULL,
        tags_json TEXT NOT NULL,
        package_url TEXT NOT NULL,
        code_source_url TEXT NOT NULL,
        status TEXT NOT NULL,
        spec_json TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        UNIQUE (pipeline_id, name)
      ) STRICT;
      CREATE INDEX pipeline_versions_by_display_name ON pipeline_versions (pipeline_id, display_name);
      CREATE INDEX pipeline_versions_by_created ON pipeline_versions (pipeline_id, created_ms);

      CREATE TABLE experiments (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        experiment_id TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL,
        description TEXT NOT NULL,
        namespace TEXT NOT NULL,
        storage_state TEXT NOT NULL CHECK (storage_state IN ('AVAILABLE', 'ARCHIVED')),
        is_default INTEGER NOT NULL,
        created_ms INTEGER NOT NULL,
        last_run_created_ms INTEGER NOT NULL,
        UNIQUE (namespace, display_name)
      ) STRICT;
      CREATE UNIQUE INDEX experiments_default ON experiments (is_default) WHERE is_default = 1;
      CREATE INDEX experiments_by_display_name ON experiments (display_name);
      CREATE INDEX experiments_by_created ON experiments (created_ms);
      CREATE INDEX experiments_by_last_run ON experiments (last_run_created_ms);
    `,
  },
];

export function migrateCatalog(database: SqlDatabase): void {
  migrate(database, "pipelines-catalog", MIGRATIONS);
}
