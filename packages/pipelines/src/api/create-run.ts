import type { PipelineVersionRow } from "../catalog/index.ts";
import type { ApiDeps } from "./context.ts";
import { type NewRun, type Run, parsePipelineSpec } from "../index.ts";
import { ApiError } from "./errors.ts";
import { RUN_NAME_LENGTH_MAX } from "./limits.ts";
import { checkDescription, checkName } from "./messages/names.ts";
import type { RunInput } from "./messages/run.ts";
import { experimentNotFound } from "./routes/experiments.ts";
import { versionNotFound } from "./routes/pipeline-versions.ts";
import { pipelineNotFound } from "./routes/pipelines.ts";

/**
 * Starts a run of a specification that was sent, or of a version of the catalogue. Without an experiment it belongs to
 * the default one. Throws `ApiError`, or `PipelinesError` for a specification or parameters that cannot be run.
 */
export function createRun(deps: ApiDeps, request: RunInput): Run {
  const displayName = checkName("display_name", request.display_name, RUN_NAME_LENGTH_MAX);
  const { source, reference } = chooseSpec(deps, request);
  const parsed = parsePipelineSpec(source);
  const config = request.runtime_config;
  return deps.database.transaction(() => {
    const experimentId = chooseExperiment(deps, request.experiment_id);
    deps.catalog.experiments.noteRun(experimentId, deps.clock.nowMs());
    const run: NewRun = {
      displayName,
      experimentId,
      spec: parsed.spec,
      specSource: parsed.specSource,
      parameters: config?.parameters ?? {},
      description: checkDescription(request.description),
      ...(parsed.platformSource === undefined ? {} : { platformSpec: parsed.platformSource }),
      ...(reference === undefined ? {} : { pipelineReference: reference }),
      ...(config === undefined || config.pipeline_root === ""
        ? {}
        : { pipelineRoot: config.pipeline_root }),
      ...(request.service_account === "" ? {} : { serviceAccount: request.service_account }),
    };
    return deps.engine.createRun(run);
  });
}

function chooseSpec(
  deps: ApiDeps,
  request: RunInput,
): { readonly source: unknown; readonly reference: NewRun["pipelineReference"] } {
  const pipelineId = request.pipeline_version_reference?.pipeline_id ?? "";
  // The bare id is what requests had before there was a reference.
  const versionId =
    request.pipeline_version_reference?.pipeline_version_id || request.pipeline_version_id;
  if (pipelineId !== "" || versionId !== "") {
    const version = findVersion(deps, pipelineId, versionId);
    return {
      source: JSON.parse(version.spec_json),
      reference: {
        pipelineId: version.pipeline_id,
        pipelineVersionId: version.pipeline_version_id,
      },
    };
  }
  if (request.pipeline_spec === undefined) {
    throw new ApiError(
      "invalid-argument",
      "Cannot create the run: neither pipeline_spec nor pipeline_version_reference is given",
    );
  }
  return { source: request.pipeline_spec, reference: undefined };
}

/** A pipeline alone means its latest version. */
function findVersion(deps: ApiDeps, pipelineId: string, versionId: string): PipelineVersionRow {
  const { pipelines, versions } = deps.catalog;
  if (versionId === "") {
    if (pipelines.get(pipelineId) === undefined) throw pipelineNotFound(pipelineId);
    const latest = versions.getLatest(pipelineId);
    if (latest !== undefined) return latest;
    throw new ApiError(
      "failed-precondition",
      `Cannot create the run: pipeline ${pipelineId} has no version`,
    );
  }
  const version = versions.get(versionId);
  if (version === undefined) throw versionNotFound(versionId);
  if (pipelineId === "" || version.pipeline_id === pipelineId) return version;
  throw new ApiError(
    "invalid-argument",
    `Cannot create the run: version ${versionId} belongs to another pipeline than ${pipelineId}`,
  );
}

function chooseExperiment(deps: ApiDeps, id: string): string {
  const { experiments } = deps.catalog;
  const experiment = id === "" ? experiments.getDefault() : experiments.get(id);
  if (experiment === undefined) throw experimentNotFound(id);
  if (experiment.storage_state === "AVAILABLE") return experiment.experiment_id;
  throw new ApiError(
    "failed-precondition",
    `Cannot create the run: experiment ${experiment.display_name} is archived`,
  );
}
