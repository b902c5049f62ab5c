import { type Clock, type Random, type Result, type SqlDatabase, ok, refused } from "@kelp/base";

/** A row of table `pipelines`. Absent texts are '', `tags_json` is an object of texts. */
export interface PipelineRow {
  readonly sequence: number;
  readonly pipeline_id: string;
  readonly name: string;
  readonly display_name: string;
  readonly description: string;
  readonly namespace: string;
  readonly tags_json: string;
  readonly created_ms: number;
}

export interface NewPipeline {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly namespace: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** What PATCH may change; `undefined` leaves a thing as it is. */
export interface PipelineChange {
  readonly displayName: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
}

export type Pipelines = ReturnType<typeof openPipelines>;

/** Queries of table `pipelines`. The table exists (`migrateCatalog`). */
export function openPipelines(
  database: SqlDatabase,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
) {
  const byId = database.prepare<PipelineRow>("SELECT * FROM pipelines WHERE pipeline_id = ?");
  const byName = database.prepare<PipelineRow>(
    "SELECT * FROM pipelines WHERE namespace = ? AND name = ?",
  );
  const insert = database.prepare<PipelineRow>(
    `INSERT INTO pipelines (pipeline_id, name, display_name, description, namespace, tags_json, created_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (namespace, name) DO NOTHING RETURNING *`,
  );
  const change = database.prepare<PipelineRow>(
    `UPDATE pipelines SET display_name = COALESCE(?, display_name), tags_json = COALESCE(?, tags_json)
     WHERE pipeline_id = ? RETURNING *`,
  );
  const remove = database.prepare<never>("DELETE FROM pipelines WHERE pipeline_id = ?");
  const hasVersion = database.prepare<{ readonly found: number }>(
    "SELECT 1 AS found FROM pipeline_versions WHERE pipeline_id = ? LIMIT 1",
  );
  const removeVersions = database.prepare<never>(
    "DELETE FROM pipeline_versions WHERE pipeline_id = ?",
  );

  return {
    get: (id: string): PipelineRow | undefined => byId.get(id),
    getByName: (namespace: string, name: string): PipelineRow | undefined =>
      byName.get(namespace, name),

    create(pipeline: NewPipeline): Result<PipelineRow, "exists"> {
      const row = insert.get(
        random.uuid(),
        pipeline.name,
        pipeline.displayName,
        pipeline.description,
        pipeline.namespace,
        JSON.stringify(pipeline.tags),
        clock.nowMs(),
      );
      return row === undefined ? refused("exists") : ok(row);
    },

    change(id: string, changed: PipelineChange): PipelineRow | undefined {
      const tagsJson = changed.tags === undefined ? null : JSON.stringify(changed.tags);
      return change.get(changed.displayName ?? null, tagsJson, id);
    },

    /** With `cascade` the versions go too; without, a pipeline that has some is refused. */
    remove(id: string, versions: "keep" | "cascade"): "removed" | "absent" | "has-versions" {
      return database.transaction(() => {
        if (byId.get(id) === undefined) return "absent";
        if (versions === "cascade") removeVersions.run(id);
        else if (hasVersion.get(id) !== undefined) return "has-versions";
        remove.run(id);
        return "removed";
      });
    },
  };
}
