import type {
  ArtifactMessage,
  RunGraphMessage,
  RunTaskMessage,
  TaskValuesMessage,
} from "@kelp/wire/management";
import type { Run, Task, TaskArtifact, TaskValues } from "./run.ts";

/** The wire form of a run with all its tasks, for the console. */
export function runGraphMessage(run: Run, tasks: readonly Task[]): RunGraphMessage {
  return {
    run_id: run.runId,
    display_name: run.displayName,
    state: run.state,
    error: run.error ?? null,
    created_at: timeText(run.createdMs),
    finished_at: optionalTime(run.finishedMs),
    pipeline_name: run.pipelineName,
    tasks: tasks.map(taskMessage),
  };
}

function taskMessage(task: Task): RunTaskMessage {
  return {
    task_id: task.taskId,
    parent_task_id: task.parentTaskId ?? null,
    name: task.name,
    display_name: task.displayName,
    kind: task.kind,
    state: task.state,
    is_cached: task.isCached,
    iteration_index: task.iterationIndex ?? null,
    depends_on: task.dependsOn,
    attempt: task.attempt,
    created_at: timeText(task.createdMs),
    started_at: optionalTime(task.startedMs),
    finished_at: optionalTime(task.finishedMs),
    error: task.error ?? null,
    inputs: valuesMessage(task.inputs, task),
    outputs: valuesMessage(task.outputs, task),
    has_log: task.kind === "step" && (task.attempt > 0 || task.isCached),
  };
}

function valuesMessage(values: TaskValues, task: Task): TaskValuesMessage {
  return {
    parameters: values.parameters,
    artifacts: Object.fromEntries(
      Object.entries(values.artifacts).map(([name, artifacts]) => [
        name,
        artifacts.map((artifact) => artifactMessage(artifact, task)),
      ]),
    ),
  };
}

/** A task does not hold when its artifacts were recorded; its own creation is the nearest time it knows. */
function artifactMessage(artifact: TaskArtifact, task: Task): ArtifactMessage {
  return {
    artifact_id: String(artifact.artifactId),
    name: artifact.name,
    type: artifact.type,
    uri: artifact.uri,
    metadata: artifact.metadata,
    created_at: timeText(task.finishedMs === 0 ? task.createdMs : task.finishedMs),
  };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function optionalTime(ms: number): string | null {
  return ms === 0 ? null : timeText(ms);
}
