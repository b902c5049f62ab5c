import type { RunMessage } from "../../api/pipeline-messages.ts";
import { type NewRun, fetchRun, fetchVersion } from "../../api/pipelines.ts";
import { fetchSpec } from "../run/run-spec.tsx";
import { type RunInput, runInputs } from "./run-inputs.ts";

/** What a form for a new run starts from. */
export interface RunSource {
  readonly suggestedName: string;
  readonly inputs: readonly RunInput[];
  /** Values other than the defaults: those of the run that is cloned. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly pipelineRoot: string;
  readonly experimentId: string | undefined;
  /** What the new run follows: a version, or a specification of its own. */
  readonly follows: Pick<NewRun, "pipeline_version_reference" | "pipeline_spec">;
}

export async function fetchRunSource(search: {
  readonly pipelineId?: string;
  readonly versionId?: string;
  readonly cloneFrom?: string;
}): Promise<RunSource> {
  if (search.cloneFrom !== undefined) return sourceOfRun(await fetchRun(search.cloneFrom));
  const { pipelineId, versionId } = search;
  if (pipelineId === undefined || versionId === undefined) {
    throw new Error("Choose a pipeline and a version first");
  }
  const version = await fetchVersion(pipelineId, versionId);
  return {
    suggestedName: `Run of ${version.display_name || version.name || versionId}`,
    inputs: runInputs(version.pipeline_spec),
    values: {},
    pipelineRoot: "",
    experimentId: undefined,
    follows: {
      pipeline_version_reference: { pipeline_id: pipelineId, pipeline_version_id: versionId },
    },
  };
}

async function sourceOfRun(run: RunMessage): Promise<RunSource> {
  const reference = run.pipeline_version_reference;
  const spec = await fetchSpec(run);
  return {
    suggestedName: `Clone of ${run.display_name || run.run_id}`,
    inputs: runInputs(spec),
    values: run.runtime_config?.parameters ?? {},
    pipelineRoot: run.runtime_config?.pipeline_root ?? "",
    experimentId: run.experiment_id,
    follows:
      reference?.pipeline_version_id === undefined
        ? { pipeline_spec: spec }
        : { pipeline_version_reference: reference },
  };
}
