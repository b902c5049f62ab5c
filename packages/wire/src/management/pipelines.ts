/** `GET /apis/kelp/v1/runs/{run_id}/graph`: every task of a run as it stands, loops unrolled. */
export interface RunGraphMessage {
  readonly run_id: string;
  readonly display_name: string;
  readonly state: RunState;
  readonly error: string | null;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly pipeline_name: string;
  readonly tasks: readonly RunTaskMessage[];
}

/** `RuntimeState` of the v2beta1 API. */
export type RunState =
  | "PENDING"
  | "RUNNING"
  | "SUCCEEDED"
  | "SKIPPED"
  | "FAILED"
  | "CANCELING"
  | "CANCELED"
  | "PAUSED";

export interface RunTaskMessage {
  readonly task_id: string;
  /** Absent for the root. */
  readonly parent_task_id: string | null;
  /** Name in the specification, unique among its siblings but for iterations. */
  readonly name: string;
  readonly display_name: string;
  readonly kind: TaskKind;
  readonly state: RunState;
  /** True when the outputs came from the cache. */
  readonly is_cached: boolean;
  readonly iteration_index: number | null;
  /** Siblings (task ids) that this task waits for. */
  readonly depends_on: readonly string[];
  readonly attempt: number;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  /** For people, last log lines included. */
  readonly error: string | null;
  readonly inputs: TaskValuesMessage;
  readonly outputs: TaskValuesMessage;
  /** True for steps: `GET /apis/kelp/v1/runs/{run_id}/tasks/{task_id}/log?follow=true` gives text/plain, live. */
  readonly has_log: boolean;
}

export type TaskKind =
  | "root"
  | "dag"
  | "condition"
  | "condition-branches"
  | "loop"
  | "iteration"
  | "exit-handler"
  | "importer"
  | "step";

export interface TaskValuesMessage {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly artifacts: Readonly<Record<string, readonly ArtifactMessage[]>>;
}

/** `GET /apis/kelp/v1/artifacts?page_size&page_token&run_id` → `{ artifacts, next_page_token, total_size }` */
export interface ArtifactMessage {
  readonly artifact_id: string;
  readonly name: string;
  /** Schema title, such as `system.Model`. */
  readonly type: string;
  /** `s3://bucket/key` or whatever an importer named. */
  readonly uri: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly created_at: string;
}

/** `GET /apis/kelp/v1/artifacts/{artifact_id}`: who made it and who used it. */
export interface ArtifactLineageMessage {
  readonly artifact: ArtifactMessage;
  readonly producer: ArtifactUseMessage | null;
  readonly consumers: readonly ArtifactUseMessage[];
}

export interface ArtifactUseMessage {
  readonly run_id: string;
  readonly run_name: string;
  readonly task_id: string;
  readonly task_name: string;
  /** Name of the input or output. */
  readonly name: string;
  readonly state: RunState;
  readonly at: string;
}
