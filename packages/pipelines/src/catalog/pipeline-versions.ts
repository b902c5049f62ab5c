import { type Clock, type Random, type Result, type SqlDatabase, ok, refused } from "@kelp/base";

/** A row of table `pipeline_versions`. Absent texts are ''. */
export interface PipelineVersionRow {
  readonly sequence: number;
  readonly pipeline_version_id: string;
  readonly pipeline_id: string;
  readonly name: string;
  readonly display_name: string;
  readonly description: string;
  readonly tags_json: string;
  readonly package_url: string;
  readonly code_source_url: string;
  readonly status: string;
  /** The specification as shown, see `schema.ts`. */
  readonly spec_json: string;
  readonly created_ms: number;
}

export interface NewPipelineVersion {
  readonly pipelineId: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly packageUrl: string;
  readonly codeSourceUrl: string;
  readonly specJson: string;
}

export interface PipelineVersionChange {
  readonly displayName: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
}

export type PipelineVersions = ReturnType<typeof openPipelineVersions>;

/** Queries of table `pipeline_versions`. The table exists (`migrateCatalog`). */
export function openPipelineVersions(
  database: SqlDatabase,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
) {
  const byId = database.prepare<PipelineVersionRow>(
    "SELECT * FROM pipeline_versions WHERE pipeline_version_id = ?",
  );
  // Insertion order settles what the clock cannot: several versions of one millisecond, a clock set back.
  const latest = database.prepare<PipelineVersionRow>(
    "SELECT * FROM pipeline_versions WHERE pipeline_id = ? ORDER BY created_ms DESC, sequence DESC LIMIT 1",
  );
  const insert = database.prepare<PipelineVersionRow>(
    `INSERT INTO pipeline_versions (pipeline_version_id, pipeline_id, name, display_name, description, tags_json,
       package_url, code_source_url, status, spec_json, created_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'READY', ?, ?) ON CONFLICT (pipeline_id, name) DO NOTHING RETURNING *`,
  );
  const change = database.prepare<PipelineVersionRow>(
    `UPDATE pipeline_versions SET display_name = COALESCE(?, display_name), tags_json = COALESCE(?, tags_json)
     WHERE pipeline_version_id = ? RETURNING *`,
  );
  const remove = database.prepare<never>(
    "DELETE FROM pipeline_versions WHERE pipeline_version_id = ?",
  );

  return {
    get: (id: string): PipelineVersionRow | undefined => byId.get(id),
    /** The version created last. */
    getLatest: (pipelineId: string): PipelineVersionRow | undefined => latest.get(pipelineId),

    /** The pipeline exists: callers look it up in the same transaction. */
    create(version: NewPipelineVersion): Result<PipelineVersionRow, "exists"> {
      const row = insert.get(
        random.uuid(),
        version.pipelineId,
        version.name,
        version.displayName,
        version.description,
        JSON.stringify(version.tags),
        version.packageUrl,
        version.codeSourceUrl,
        version.specJson,
        clock.nowMs(),
      );
      return row === undefined ? refused("exists") : ok(row);
    },

    change(id: string, changed: PipelineVersionChange): PipelineVersionRow | undefined {
      const tagsJson = changed.tags === undefined ? null : JSON.stringify(changed.tags);
      return change.get(changed.displayName ?? null, tagsJson, id);
    },

    remove: (id: string): "removed" | "absent" => (remove.run(id) > 0 ? "removed" : "absent"),
  };
}
