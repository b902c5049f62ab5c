import {
  type ApiApp,
  type ApiDeps,
  NAMESPACE,
  authorize,
  pathParameter,
  queryOf,
  readRequest,
} from "../context.ts";
import { createPipeline, createPipelineWithVersion } from "../create-pipeline.ts";
import { ApiError } from "../errors.ts";
import { PIPELINE_NAME_LENGTH_MAX } from "../limits.ts";
import {
  PIPELINE,
  PIPELINE_AND_VERSION,
  pageMessage,
  pipelineMessage,
} from "../messages/catalog.ts";
import { checkName, checkTags, type Tags } from "../messages/names.ts";
import { parseQueryBoolean } from "../messages/proto.ts";
import { readSpecOfVersion } from "../package-source.ts";
import { PIPELINE_LIST } from "../query/fields.ts";
import type { PipelineRow } from "../../catalog/index.ts";

const BASE = "/apis/v2beta1/pipelines";

export function pipelineRoutes(app: ApiApp, deps: ApiDeps): void {
  const { pipelines } = deps.catalog;

  app.post(BASE, async (context) => {
    authorize(deps, context, "CreatePipeline", "pipeline/");
    const pipeline = await readRequest(context, PIPELINE, "Pipeline");
    return context.json(pipelineMessage(createPipeline(deps.catalog, pipeline)));
  });

  app.post(`${BASE}/create`, async (context) => {
    authorize(deps, context, "CreatePipeline", "pipeline/");
    authorize(deps, context, "CreatePipelineVersion", "pipeline/");
    const request = await readRequest(context, PIPELINE_AND_VERSION, "the request");
    const source = await readSpecOfVersion(deps, context, request.pipeline_version);
    const { pipeline } = createPipelineWithVersion(deps, request.pipeline, {
      ...request.pipeline_version,
      source,
    });
    return context.json(pipelineMessage(pipeline));
  });

  app.get(BASE, (context) => {
    authorize(deps, context, "ListPipelines", "pipeline/");
    const page = deps.lists.list<PipelineRow>(PIPELINE_LIST, [], queryOf(context));
    return context.json(pageMessage("pipelines", page, pipelineMessage));
  });

  app.get(`${BASE}/names/:name`, (context) => {
    authorize(deps, context, "GetPipeline", "pipeline/");
    const name = pathParameter(context, "name");
    const row = pipelines.getByName(NAMESPACE, name);
    if (row === undefined) throw pipelineNotFound(name);
    return context.json(pipelineMessage(row));
  });

  app.get(`${BASE}/:id`, (context) => {
    const id = pathParameter(context, "id");
    authorize(deps, context, "GetPipeline", `pipeline/${id}`);
    const row = pipelines.get(id);
    if (row === undefined) throw pipelineNotFound(id);
    return context.json(pipelineMessage(row));
  });

  app.patch(`${BASE}/:id`, async (context) => {
    const id = pathParameter(context, "id");
    authorize(deps, context, "UpdatePipeline", `pipeline/${id}`);
    const change = await readRequest(context, PIPELINE, "Pipeline");
    const row = pipelines.change(id, {
      displayName: changedName(change.display_name, PIPELINE_NAME_LENGTH_MAX),
      tags: changedTags(change.tags, context.req.header("x-clear-tags")),
    });
    if (row === undefined) throw pipelineNotFound(id);
    return context.json(pipelineMessage(row));
  });

  app.delete(`${BASE}/:id`, (context) => {
    const id = pathParameter(context, "id");
    authorize(deps, context, "DeletePipeline", `pipeline/${id}`);
    const isCascade = parseQueryBoolean("cascade", context.req.query("cascade"));
    const outcome = pipelines.remove(id, isCascade ? "cascade" : "keep");
    if (outcome === "absent") throw pipelineNotFound(id);
    if (outcome === "has-versions") {
      throw new ApiError(
        "failed-precondition",
        `Cannot delete pipeline ${id}: it has versions; delete them first or ask with cascade=true`,
      );
    }
    return context.json({});
  });
}

/** An empty name in a PATCH means "as it is". */
export function changedName(displayName: string, lengthMax: number): string | undefined {
  return displayName === "" ? undefined : checkName("display_name", displayName, lengthMax);
}

/** JSON cannot tell "no tags given" from "no tags wanted", so the second takes a header. */
export function changedTags(
  tags: Tags | undefined,
  clearHeader: string | undefined,
): Tags | undefined {
  if (tags !== undefined && Object.keys(tags).length > 0) return checkTags(tags);
  return parseQueryBoolean("x-clear-tags", clearHeader) ? {} : undefined;
}

export function pipelineNotFound(idOrName: string): ApiError {
  return new ApiError("not-found", `Cannot find pipeline ${idOrName}`);
}
