import type { JsonObject } from "../spec/json.ts";
import { type ParsedPipeline, parsePipelineSpec } from "../spec/parse-pipeline.ts";
import type { NewRun, Run } from "./run.ts";

/** The row of a run that was just asked for; `parameters` are checked. */
export function newRunRow(
  request: NewRun,
  parameters: JsonObject,
  born: { readonly runId: string; readonly nowMs: number },
): Omit<Run, "sequence"> {
  const { pipelineReference: reference, platformSpec } = request;
  return {
    runId: born.runId,
    experimentId: request.experimentId,
    displayName: request.displayName,
    description: request.description ?? "",
    namespace: request.namespace ?? "",
    storageState: "AVAILABLE",
    state: "PENDING",
    createdMs: born.nowMs,
    scheduledMs: request.scheduledMs ?? born.nowMs,
    finishedMs: 0,
    pipelineId: reference?.pipelineId ?? "",
    pipelineVersionId: reference?.pipelineVersionId ?? "",
    recurringRunId: request.recurringRunId ?? "",
    serviceAccount: request.serviceAccount ?? "",
    pipelineName: request.spec.name,
    specJson: JSON.stringify(request.specSource),
    platformSpecJson: platformSpec === undefined ? undefined : JSON.stringify(platformSpec),
    parameters,
    pipelineRoot: request.pipelineRoot === "" ? undefined : request.pipelineRoot,
    error: undefined,
    stateHistory: [{ state: "PENDING", atMs: born.nowMs }],
  };
}

/** Reads the specification that a run was stored with. @throws PipelinesError `invalid-spec` */
export function parseStoredSpec(run: Run): ParsedPipeline {
  const specSource: unknown = JSON.parse(run.specJson);
  if (run.platformSpecJson === undefined) return parsePipelineSpec(specSource);
  const platformSpec: unknown = JSON.parse(run.platformSpecJson);
  return parsePipelineSpec({ pipeline_spec: specSource, platform_spec: platformSpec });
}
