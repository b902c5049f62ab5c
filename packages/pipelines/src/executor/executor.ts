import type { ContainerSpec, ParameterType } from "../spec/model.ts";
import type { JsonObject } from "../spec/json.ts";
import type { JobValues } from "../run/placeholders.ts";

/**
 * What carries out steps: a subprocess on a laptop; a container, pod or allocation elsewhere.
 *
 * Implementations must:
 * - bring input artifacts to the step and its output artifacts to the URIs given, and report those URIs;
 * - write everything that the step prints to `log`;
 * - kill everything that the step started when `signal` aborts, before `run` resolves;
 * - keep nothing of an attempt but its outputs and its log;
 * - be able to run several steps at once, bounded by their caller.
 */
export interface Executor {
  /** Never rejects for what the step did; rejects only when the executor itself is broken. */
  run(request: StepRequest, log: StepLog, signal: AbortSignal): Promise<StepOutcome>;
  /** Kills and removes what a process before this one may have left of a step. */
  discard(step: StepAddress): Promise<void>;
  /** Folder that all steps of a run share, as the steps see it. */
  workspacePath(runId: string): string;
  /** Copies what stands at a URI into the run's workspace, where steps find it. */
  downloadToWorkspace(runId: string, uri: string, signal: AbortSignal): Promise<void>;
  /** Removes what a run left behind outside the object store, such as its workspace. */
  forgetRun(runId: string): Promise<void>;
}

export interface StepAddress {
  readonly runId: string;
  readonly taskId: string;
  readonly taskName: string;
}

export interface StepRequest extends StepAddress {
  /** Counts from 1. */
  readonly attempt: number;
  readonly container: ContainerSpec;
  /** On top of the container's own, such as secrets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly inputs: {
    readonly parameters: JsonObject;
    readonly artifacts: Readonly<Record<string, readonly StepArtifact[]>>;
  };
  readonly outputs: {
    readonly parameters: Readonly<Record<string, ParameterType>>;
    readonly artifacts: Readonly<Record<string, StepArtifact>>;
  };
  /** URI that all outputs of this task stand under, without a slash at the end. */
  readonly taskRootUri: string;
  readonly job: JobValues;
  /** 0 is none. */
  readonly timeoutMs: number;
}

export interface StepArtifact {
  readonly name: string;
  readonly type: string;
  readonly uri: string;
  readonly metadata: JsonObject;
}

export type StepOutcome =
  | {
      readonly kind: "succeeded";
      /** Declared outputs, converted to their types. */
      readonly parameters: JsonObject;
      readonly artifacts: Readonly<Record<string, readonly StepArtifact[]>>;
    }
  /** `message` is for the author of the step. */
  | { readonly kind: "failed"; readonly message: string }
  /** The signal aborted. */
  | { readonly kind: "canceled" };

/** Where a step's output goes. */
export interface StepLog {
  /** What the step printed, as it comes. */
  write(bytes: Uint8Array): void;
  /** A line of Kelp's own, told apart by its prefix. */
  note(text: string): void;
  /** The last lines printed, for messages. */
  tail(): readonly string[];
}
