import type { RunState, TaskKind } from "@kelp/wire/management";
import type { JsonObject, JsonValue } from "../spec/json.ts";
import type { PipelineSpec } from "../spec/model.ts";

/** What it takes to start a run. `spec` is parsed; `specSource` and `platformSpec` are the documents as sent. */
export interface NewRun {
  readonly displayName: string;
  readonly description?: string;
  readonly experimentId: string;
  readonly namespace?: string;
  readonly pipelineReference?: { readonly pipelineId: string; readonly pipelineVersionId?: string };
  readonly spec: PipelineSpec;
  readonly specSource: unknown;
  readonly platformSpec?: unknown;
  readonly parameters: Readonly<Record<string, JsonValue>>;
  readonly pipelineRoot?: string;
  readonly serviceAccount?: string;
  readonly recurringRunId?: string;
  /** When a schedule wanted it; now when absent. */
  readonly scheduledMs?: number;
}

/** One execution of a pipeline as it stands. Times are milliseconds since the epoch; 0 is "not yet". */
export interface Run {
  readonly runId: string;
  /** Increasing in order of creation. */
  readonly sequence: number;
  readonly experimentId: string;
  readonly displayName: string;
  readonly description: string;
  readonly namespace: string;
  readonly storageState: StorageState;
  readonly state: RunState;
  readonly createdMs: number;
  readonly scheduledMs: number;
  readonly finishedMs: number;
  /** Empty when the run was made from a specification alone. */
  readonly pipelineId: string;
  readonly pipelineVersionId: string;
  readonly recurringRunId: string;
  readonly serviceAccount: string;
  /** Name inside the specification. */
  readonly pipelineName: string;
  /** The documents as sent, JSON text. */
  readonly specJson: string;
  readonly platformSpecJson: string | undefined;
  readonly parameters: JsonObject;
  /** As asked for; `undefined` when the default was taken. */
  readonly pipelineRoot: string | undefined;
  readonly error: string | undefined;
  readonly stateHistory: readonly StateChange[];
}

export type StorageState = "AVAILABLE" | "ARCHIVED";

export interface StateChange {
  readonly state: RunState;
  readonly atMs: number;
  readonly error?: string;
}

/** A step of a run, or a group of them (root, sub-pipeline, condition, loop, iteration). */
export interface Task {
  readonly taskId: string;
  readonly runId: string;
  /** Increasing in order of creation within the run; parents come first. */
  readonly sequence: number;
  /** `undefined` for the root. */
  readonly parentTaskId: string | undefined;
  /** Name in the specification; an iteration has the name of its loop. */
  readonly name: string;
  readonly displayName: string;
  readonly kind: TaskKind;
  readonly iterationIndex: number | undefined;
  readonly state: RunState;
  readonly isCached: boolean;
  /** Sibling task ids that this task waits for. */
  readonly dependsOn: readonly string[];
  readonly inputs: TaskValues;
  readonly outputs: TaskValues;
  /** Attempts begun; 0 before the first. */
  readonly attempt: number;
  readonly createdMs: number;
  readonly startedMs: number;
  readonly finishedMs: number;
  readonly error: string | undefined;
  readonly fingerprint: string | undefined;
  /** The task whose outputs (and log) were taken from the cache. */
  readonly cachedFrom: { readonly runId: string; readonly taskId: string } | undefined;
  readonly stateHistory: readonly StateChange[];
}

export interface TaskValues {
  readonly parameters: JsonObject;
  readonly artifacts: Readonly<Record<string, readonly TaskArtifact[]>>;
}

export const NO_VALUES: TaskValues = { parameters: {}, artifacts: {} };

/** An artifact where a task reads or writes it. */
export interface TaskArtifact {
  /** Id in lineage. */
  readonly artifactId: number;
  readonly name: string;
  /** Schema title. */
  readonly type: string;
  readonly uri: string;
  readonly metadata: JsonObject;
}

export function isFinished(state: RunState): boolean {
  return state === "SUCCEEDED" || state === "FAILED" || state === "SKIPPED" || state === "CANCELED";
}

/** The run in a new state, with history, error and end. */
export function runInState(run: Run, state: RunState, atMs: number, error?: string): Run {
  const change: StateChange = error === undefined ? { state, atMs } : { state, atMs, error };
  return {
    ...run,
    state,
    error,
    finishedMs: isFinished(state) ? atMs : 0,
    stateHistory: [...run.stateHistory, change],
  };
}
