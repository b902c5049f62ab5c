/** Pipelines: compiled specifications, runs as persistent state machines, executors. */
export { createPipelinesEngine } from "./engine/engine.ts";
export {
  DEFAULT_PIPELINE_ROOT,
  type EngineDeps,
  type EngineOptions,
  type PipelinesEngine,
  RUNS_ACTIVE_MAX,
} from "./engine/pipelines-engine.ts";
export type { Secrets } from "./engine/platform-settings.ts";
export { PipelinesError, type PipelinesErrorCode } from "./errors.ts";
export type {
  Executor,
  StepAddress,
  StepArtifact,
  StepLog,
  StepOutcome,
  StepRequest,
} from "./executor/executor.ts";
export { runGraphMessage } from "./run/messages.ts";
export {
  type NewRun,
  type Run,
  type StateChange,
  type StorageState,
  type Task,
  type TaskArtifact,
  type TaskValues,
  isFinished,
} from "./run/run.ts";
export type { JsonObject, JsonValue } from "./spec/json.ts";
export type { PipelineSpec } from "./spec/model.ts";
export { type ParsedPipeline, parsePipelineSpec } from "./spec/parse-pipeline.ts";
export {
  SubprocessExecutor,
  type SubprocessDeps,
  type SubprocessOptions,
} from "./executor/subprocess/subprocess-executor.ts";
export { ALLOWED_VARIABLES } from "./executor/subprocess/step-environment.ts";
