import { z } from "zod";
import type { Run, StateChange, Task, TaskArtifact } from "../../index.ts";
import { ignored, populated, snakeMessage, struct, text } from "./proto.ts";
import { formatTimestamp } from "./timestamp.ts";

/** Runs and their tasks in JSON, both ways. */

export const RUN = snakeMessage("Run", {
  experiment_id: text,
  run_id: ignored,
  display_name: text,
  storage_state: ignored,
  description: text,
  pipeline_version_id: text,
  pipeline_spec: struct.optional(),
  runtime_config: snakeMessage("RuntimeConfig", {
    parameters: z.record(z.string(), z.json()).default({}),
    pipeline_root: text,
  }).optional(),
  service_account: text,
  created_at: ignored,
  scheduled_at: ignored,
  finished_at: ignored,
  state: ignored,
  error: ignored,
  run_details: ignored,
  recurring_run_id: ignored,
  state_history: ignored,
  pipeline_version_reference: snakeMessage("PipelineVersionReference", {
    pipeline_id: text,
    pipeline_version_id: text,
  }).optional(),
  plugins_input: ignored,
  plugins_output: ignored,
});
export type RunInput = z.output<typeof RUN>;

/** A run as lists and GET show it. `tasks` are given for the latter only. */
export function runMessage(run: Run, tasks?: readonly Task[]): Record<string, unknown> {
  return {
    ...populated({
      experiment_id: run.experimentId,
      run_id: run.runId,
      display_name: run.displayName,
      storage_state: run.storageState,
      description: run.description,
      ...pipelineOf(run),
      runtime_config: populated({
        parameters: run.parameters,
        pipeline_root: run.pipelineRoot,
      }),
      service_account: run.serviceAccount,
      created_at: formatTimestamp(run.createdMs),
      scheduled_at: formatTimestamp(run.scheduledMs),
    }),
    finished_at: formatTimestamp(run.finishedMs),
    ...populated({
      state: run.state,
      error: errorStatus(run.error),
      recurring_run_id: run.recurringRunId,
      state_history: run.stateHistory.map(stateChangeMessage),
      run_details:
        tasks === undefined ? undefined : { task_details: tasks.map(taskMessages(tasks)) },
    }),
  };
}

/** Where the pipeline came from: a version of the catalogue, or the specification that was sent. */
function pipelineOf(run: Run): Record<string, unknown> {
  if (run.pipelineVersionId !== "") {
    return {
      pipeline_version_reference: populated({
        pipeline_id: run.pipelineId,
        pipeline_version_id: run.pipelineVersionId,
      }),
    };
  }
  const spec: unknown = JSON.parse(run.specJson);
  if (run.platformSpecJson === undefined) return { pipeline_spec: spec };
  return {
    pipeline_spec: { pipeline_spec: spec, platform_spec: JSON.parse(run.platformSpecJson) },
  };
}

function stateChangeMessage(change: StateChange): Record<string, unknown> {
  return populated({
    update_time: formatTimestamp(change.atMs),
    state: change.state,
    error: errorStatus(change.error),
  });
}

/** `google.rpc.Status` with code UNKNOWN: a failed step has no better one. */
function errorStatus(message: string | undefined): unknown {
  return message === undefined ? undefined : { code: 2, message };
}

function taskMessages(tasks: readonly Task[]): (task: Task) => Record<string, unknown> {
  const children = Map.groupBy(tasks, (task) => task.parentTaskId);
  return (task) =>
    populated({
      run_id: task.runId,
      task_id: task.taskId,
      display_name: task.displayName,
      create_time: formatTimestamp(task.createdMs),
      start_time: optionalTimestamp(task.startedMs),
      end_time: optionalTimestamp(task.finishedMs),
      state: task.state,
      error: errorStatus(task.error),
      inputs: artifactIds(task.inputs.artifacts),
      outputs: artifactIds(task.outputs.artifacts),
      parent_task_id: task.parentTaskId,
      state_history: task.stateHistory.map(stateChangeMessage),
      child_tasks: (children.get(task.taskId) ?? []).map((child) => ({ task_id: child.taskId })),
    });
}

function optionalTimestamp(timeMs: number): string | undefined {
  return timeMs === 0 ? undefined : formatTimestamp(timeMs);
}

/** 64-bit ids are text in JSON. */
function artifactIds(
  artifacts: Readonly<Record<string, readonly TaskArtifact[]>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(artifacts).map(([name, list]) => [
      name,
      { artifact_ids: list.map((artifact) => String(artifact.artifactId)) },
    ]),
  );
}
