/** What a list may be sorted and filtered by. Column names are this program's own, never a client's. */
export interface ListSource {
  /** Noun for messages, such as `run`. */
  readonly noun: string;
  /** Table with a column `sequence`: the order of insertion, never reused. */
  readonly table: string;
  readonly selection: string;
  readonly fields: ReadonlyMap<string, Field>;
  /** Column with a JSON object of texts, for keys `tags.<key>`. */
  readonly tagsColumn?: string;
}

/**
 * `text` compares bytes. `time` is a column of milliseconds that clients see in whole seconds, so comparisons are made
 * in whole seconds too: a client that filters by the time it was given finds the row.
 */
export interface Field {
  readonly kind: "text" | "time";
  readonly column: string;
}

const text = (column: string): Field => ({ kind: "text", column });
const time = (column: string): Field => ({ kind: "time", column });

export const PIPELINE_LIST: ListSource = {
  noun: "pipeline",
  table: "pipelines",
  selection: "*",
  fields: new Map([
    ["id", text("pipeline_id")],
    ["pipeline_id", text("pipeline_id")],
    ["name", text("name")],
    ["display_name", text("display_name")],
    ["created_at", time("created_ms")],
    ["description", text("description")],
    ["namespace", text("namespace")],
  ]),
  tagsColumn: "tags_json",
};

export const PIPELINE_VERSION_LIST: ListSource = {
  noun: "pipeline version",
  table: "pipeline_versions",
  selection: "*",
  fields: new Map([
    ["id", text("pipeline_version_id")],
    ["pipeline_version_id", text("pipeline_version_id")],
    ["name", text("name")],
    ["display_name", text("display_name")],
    ["created_at", time("created_ms")],
    ["description", text("description")],
    ["status", text("status")],
    ["pipeline_spec", text("spec_json")],
  ]),
  tagsColumn: "tags_json",
};

export const EXPERIMENT_LIST: ListSource = {
  noun: "experiment",
  table: "experiments",
  selection: "*",
  fields: new Map([
    ["id", text("experiment_id")],
    ["experiment_id", text("experiment_id")],
    ["name", text("display_name")],
    ["display_name", text("display_name")],
    ["created_at", time("created_ms")],
    ["last_run_created_at", time("last_run_created_ms")],
    ["description", text("description")],
    ["namespace", text("namespace")],
    ["storage_state", text("storage_state")],
  ]),
};

export const RUN_LIST: ListSource = {
  noun: "run",
  table: "runs",
  selection: "run_id, sequence",
  fields: new Map([
    ["id", text("run_id")],
    ["run_id", text("run_id")],
    ["name", text("display_name")],
    ["display_name", text("display_name")],
    ["created_at", time("created_ms")],
    ["finished_at", time("finished_ms")],
    ["scheduled_at", time("scheduled_ms")],
    ["description", text("description")],
    ["storage_state", text("storage_state")],
    ["status", text("state")],
    ["state", text("state")],
    ["namespace", text("namespace")],
    ["experiment_id", text("experiment_id")],
    ["recurring_run_id", text("recurring_run_id")],
  ]),
};
