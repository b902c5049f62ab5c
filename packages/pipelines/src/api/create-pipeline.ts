import type { SqlDatabase } from "@kelp/base";
import type { Catalog, PipelineRow, PipelineVersionRow } from "../catalog/index.ts";
import { NAMESPACE } from "./context.ts";
import { ApiError } from "./errors.ts";
import { PIPELINE_NAME_LENGTH_MAX, URL_LENGTH_MAX, VERSION_NAME_LENGTH_MAX } from "./limits.ts";
import { checkDescription, checkName, checkTags, type Tags } from "./messages/names.ts";

/** Making pipelines and versions, whichever route asks. Texts are '' where nothing was given. */

export interface PipelineRequest {
  readonly name: string;
  readonly display_name: string;
  readonly description: string;
  readonly tags?: Tags | undefined;
}

export interface VersionRequest extends PipelineRequest {
  readonly code_source_url: string;
  readonly package_url?: { readonly pipeline_url: string } | undefined;
  /** The specification as shown, already checked. */
  readonly source: unknown;
}

/** The name defaults to the display name and the other way round. Throws `ApiError` when it is taken or no name. */
export function createPipeline(catalog: Catalog, request: PipelineRequest): PipelineRow {
  const names = namesOf(request, PIPELINE_NAME_LENGTH_MAX);
  const created = catalog.pipelines.create({
    ...names,
    description: checkDescription(request.description),
    namespace: NAMESPACE,
    tags: checkTags(request.tags ?? {}),
  });
  if (created.kind === "ok") return created.value;
  throw new ApiError("already-exists", `Cannot create pipeline ${names.name}: the name is taken`);
}

/** The caller knows that the pipeline exists. */
export function createVersion(
  catalog: Catalog,
  pipelineId: string,
  request: VersionRequest,
): PipelineVersionRow {
  const names = namesOf(request, VERSION_NAME_LENGTH_MAX);
  const created = catalog.versions.create({
    pipelineId,
    ...names,
    description: checkDescription(request.description),
    tags: checkTags(request.tags ?? {}),
    packageUrl: checkUrl("package_url", request.package_url?.pipeline_url ?? ""),
    codeSourceUrl: checkUrl("code_source_url", request.code_source_url),
    specJson: JSON.stringify(request.source),
  });
  if (created.kind === "ok") return created.value;
  throw new ApiError(
    "already-exists",
    `Cannot create version ${names.name}: the pipeline has one of that name`,
  );
}

/** Both or nothing. A version without a name is named like its pipeline. */
export function createPipelineWithVersion(
  { catalog, database }: { readonly catalog: Catalog; readonly database: SqlDatabase },
  pipelineRequest: PipelineRequest,
  versionRequest: VersionRequest,
): { readonly pipeline: PipelineRow; readonly version: PipelineVersionRow } {
  return database.transaction(() => {
    const pipeline = createPipeline(catalog, pipelineRequest);
    // A version's name is one character shorter than a pipeline's may be.
    const name = Array.from(pipeline.name).slice(0, VERSION_NAME_LENGTH_MAX).join("");
    const version = createVersion(catalog, pipeline.pipeline_id, {
      ...versionRequest,
      name: versionRequest.name || name,
    });
    return { pipeline, version };
  });
}

function namesOf(
  request: PipelineRequest,
  lengthMax: number,
): { readonly name: string; readonly displayName: string } {
  const name = checkName("the name", request.name || request.display_name, lengthMax);
  const displayName = checkName("display_name", request.display_name || name, lengthMax);
  return { name, displayName };
}

function checkUrl(what: string, url: string): string {
  return url === "" ? "" : checkName(what, url, URL_LENGTH_MAX);
}
