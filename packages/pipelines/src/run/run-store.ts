import { type SqlDatabase, type SqlStatement, migrate, must } from "@kelp/base";
import type { RunState, TaskKind } from "@kelp/wire/management";
import type { JsonObject } from "../spec/json.ts";
import { MIGRATIONS } from "./migrations.ts";
import type { Run, StateChange, StorageState, Task, TaskValues } from "./run.ts";

/**
 * Rows of runs and tasks. Every method is one statement; callers gather several into one transaction, which is on
 * stable storage when it returns.
 */
export class RunStore {
  readonly database: SqlDatabase;
  readonly #insertRun: SqlStatement<never>;
  readonly #updateRun: SqlStatement<never>;
  readonly #selectRun: SqlStatement<RunRow>;
  readonly #selectUnfinished: SqlStatement<{ run_id: string }>;
  readonly #setStorage: SqlStatement<never>;
  readonly #deleteRun: SqlStatement<never>;
  readonly #saveTask: SqlStatement<never>;
  readonly #selectTasks: SqlStatement<TaskRow>;
  readonly #selectTask: SqlStatement<TaskRow>;
  readonly #deleteTasks: SqlStatement<never>;
  readonly #deleteTask: SqlStatement<never>;

  constructor(database: SqlDatabase) {
    migrate(database, "pipelines-engine", MIGRATIONS);
    this.database = database;
    this.#insertRun = database.prepare(
      `INSERT INTO runs (run_id, experiment_id, display_name, description, namespace, storage_state, state,
        created_ms, scheduled_ms, finished_ms, pipeline_id, pipeline_version_id, recurring_run_id, service_account,
        pipeline_name, spec_json, platform_spec_json, runtime_config_json, error_json, state_history_json)
       VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
    );
    this.#updateRun = database.prepare(
      "UPDATE runs SET state=?, finished_ms=?, error_json=?, state_history_json=? WHERE run_id=?",
    );
    this.#selectRun = database.prepare("SELECT * FROM runs WHERE run_id=?");
    this.#selectUnfinished = database.prepare(
      "SELECT run_id FROM runs WHERE state IN ('PENDING','RUNNING','CANCELING') ORDER BY sequence",
    );
    this.#setStorage = database.prepare("UPDATE runs SET storage_state=? WHERE run_id=?");
    this.#deleteRun = database.prepare("DELETE FROM runs WHERE run_id=?");
    this.#saveTask = database.prepare(
      `INSERT INTO tasks (task_id, run_id, sequence, parent_task_id, name, display_name, kind, iteration_index, state,
        is_cached, depends_on_json, inputs_json, outputs_json, attempt, created_ms, started_ms, finished_ms, error,
        fingerprint, cached_run_id, cached_task_id, state_history_json)
       VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
       ON CONFLICT (task_id) DO UPDATE SET state=excluded.state, is_cached=excluded.is_cached,
        inputs_json=excluded.inputs_json, outputs_json=excluded.outputs_json, attempt=excluded.attempt,
        started_ms=excluded.started_ms, finished_ms=excluded.finished_ms, error=excluded.error,
        fingerprint=excluded.fingerprint, cached_run_id=excluded.cached_run_id,
        cached_task_id=excluded.cached_task_id, state_history_json=excluded.state_history_json`,
    );
    this.#selectTasks = database.prepare("SELECT * FROM tasks WHERE run_id=? ORDER BY sequence");
    this.#selectTask = database.prepare("SELECT * FROM tasks WHERE run_id=? AND task_id=?");
    this.#deleteTasks = database.prepare("DELETE FROM tasks WHERE run_id=?");
    this.#deleteTask = database.prepare("DELETE FROM tasks WHERE task_id=?");
  }

  insertRun(run: Omit<Run, "sequence">): Run {
    this.#insertRun.run(
      run.runId,
      run.experimentId,
      run.displayName,
      run.description,
      run.namespace,
      run.storageState,
      run.state,
      run.createdMs,
      run.scheduledMs,
      run.finishedMs,
      run.pipelineId,
      run.pipelineVersionId,
      run.recurringRunId,
      run.serviceAccount,
      run.pipelineName,
      run.specJson,
      run.platformSpecJson ?? null,
      JSON.stringify({ parameters: run.parameters, pipeline_root: run.pipelineRoot }),
      errorJson(run.error),
      JSON.stringify(run.stateHistory),
    );
    return must(this.getRun(run.runId));
  }

  /** Writes what changes during a run: state, end, error and history. */
  updateRun(run: Run): void {
    this.#updateRun.run(
      run.state,
      run.finishedMs,
      errorJson(run.error),
      JSON.stringify(run.stateHistory),
      run.runId,
    );
  }

  getRun(runId: string): Run | undefined {
    const row = this.#selectRun.get(runId);
    return row === undefined ? undefined : runOf(row);
  }

  unfinishedRunIds(): readonly string[] {
    return this.#selectUnfinished.all().map((row) => row.run_id);
  }

  setStorageState(runId: string, state: StorageState): void {
    this.#setStorage.run(state, runId);
  }

  deleteRun(runId: string): void {
    this.#deleteTasks.run(runId);
    this.#deleteRun.run(runId);
  }

  saveTask(task: Task): void {
    this.#saveTask.run(
      task.taskId,
      task.runId,
      task.sequence,
      task.parentTaskId ?? null,
      task.name,
      task.displayName,
      task.kind,
      task.iterationIndex ?? null,
      task.state,
      task.isCached ? 1 : 0,
      JSON.stringify(task.dependsOn),
      JSON.stringify(task.inputs),
      JSON.stringify(task.outputs),
      task.attempt,
      task.createdMs,
      task.startedMs,
      task.finishedMs,
      task.error ?? null,
      task.fingerprint ?? null,
      task.cachedFrom?.runId ?? null,
      task.cachedFrom?.taskId ?? null,
      JSON.stringify(task.stateHistory),
    );
  }

  deleteTask(taskId: string): void {
    this.#deleteTask.run(taskId);
  }

  /** In order of creation, parents first. */
  getTasks(runId: string): readonly Task[] {
    return this.#selectTasks.all(runId).map(taskOf);
  }

  getTask(runId: string, taskId: string): Task | undefined {
    const row = this.#selectTask.get(runId, taskId);
    return row === undefined ? undefined : taskOf(row);
  }
}

interface RunRow {
  run_id: string;
  sequence: number;
  experiment_id: string;
  display_name: string;
  description: string;
  namespace: string;
  storage_state: StorageState;
  state: RunState;
  created_ms: number;
  scheduled_ms: number;
  finished_ms: number;
  pipeline_id: string;
  pipeline_version_id: string;
  recurring_run_id: string;
  service_account: string;
  pipeline_name: string;
  spec_json: string;
  platform_spec_json: string | null;
  runtime_config_json: string;
  error_json: string | null;
  state_history_json: string;
}

interface TaskRow {
  task_id: string;
  run_id: string;
  sequence: number;
  parent_task_id: string | null;
  name: string;
  display_name: string;
  kind: TaskKind;
  iteration_index: number | null;
  state: RunState;
  is_cached: number;
  depends_on_json: string;
  inputs_json: string;
  outputs_json: string;
  attempt: number;
  created_ms: number;
  started_ms: number;
  finished_ms: number;
  error: string | null;
  fingerprint: string | null;
  cached_run_id: string | null;
  cached_task_id: string | null;
  state_history_json: string;
}

function runOf(row: RunRow): Run {
  const config = JSON.parse(row.runtime_config_json) as {
    parameters: JsonObject;
    pipeline_root?: string;
  };
  const error =
    row.error_json === null ? undefined : (JSON.parse(row.error_json) as { message: string });
  return {
    runId: row.run_id,
    sequence: row.sequence,
    experimentId: row.experiment_id,
    displayName: row.display_name,
    description: row.description,
    namespace: row.namespace,
    storageState: row.storage_state,
    state: row.state,
    createdMs: row.created_ms,
    scheduledMs: row.scheduled_ms,
    finishedMs: row.finished_ms,
    pipelineId: row.pipeline_id,
    pipelineVersionId: row.pipeline_version_id,
    recurringRunId: row.recurring_run_id,
    serviceAccount: row.service_account,
    pipelineName: row.pipeline_name,
    specJson: row.spec_json,
    platformSpecJson: row.platform_spec_json ?? undefined,
    parameters: config.parameters,
    pipelineRoot: config.pipeline_root,
    error: error?.message,
    stateHistory: JSON.parse(row.state_history_json) as readonly StateChange[],
  };
}

function taskOf(row: TaskRow): Task {
  return {
    taskId: row.task_id,
    runId: row.run_id,
    sequence: row.sequence,
    parentTaskId: row.parent_task_id ?? undefined,
    name: row.name,
    displayName: row.display_name,
    kind: row.kind,
    iterationIndex: row.iteration_index ?? undefined,
    state: row.state,
    isCached: row.is_cached === 1,
    dependsOn: JSON.parse(row.depends_on_json) as readonly string[],
    inputs: JSON.parse(row.inputs_json) as TaskValues,
    outputs: JSON.parse(row.outputs_json) as TaskValues,
    attempt: row.attempt,
    createdMs: row.created_ms,
    startedMs: row.started_ms,
    finishedMs: row.finished_ms,
    error: row.error ?? undefined,
    fingerprint: row.fingerprint ?? undefined,
    cachedFrom:
      row.cached_run_id === null || row.cached_task_id === null
        ? undefined
        : { runId: row.cached_run_id, taskId: row.cached_task_id },
    stateHistory: JSON.parse(row.state_history_json) as readonly StateChange[],
  };
}

/** In the shape of google.rpc.Status, which is what clients are shown. */
function errorJson(message: string | undefined): string | null {
  return message === undefined ? null : JSON.stringify({ code: RPC_UNKNOWN, message });
}

const RPC_UNKNOWN = 2;
