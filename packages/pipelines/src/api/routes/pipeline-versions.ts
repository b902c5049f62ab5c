import type { PipelineVersionRow } from "../../catalog/index.ts";
import {
  type ApiApp,
  type ApiDeps,
  authorize,
  pathParameter,
  queryOf,
  readRequest,
} from "../context.ts";
import { createVersion } from "../create-pipeline.ts";
import { ApiError } from "../errors.ts";
import { VERSION_NAME_LENGTH_MAX } from "../limits.ts";
import { PIPELINE_VERSION, pageMessage, pipelineVersionMessage } from "../messages/catalog.ts";
import { readSpecOfVersion } from "../package-source.ts";
import { PIPELINE_VERSION_LIST } from "../query/fields.ts";
import { changedName, changedTags, pipelineNotFound } from "./pipelines.ts";

const BASE = "/apis/v2beta1/pipelines/:id/versions";

/**
 * NOTE: reading, changing and deleting a version do not check that it belongs to the pipeline in the path. Kubeflow's
 * own API tests pin that.
 */
export function pipelineVersionRoutes(app: ApiApp, deps: ApiDeps): void {
  const { pipelines, versions } = deps.catalog;

  app.post(BASE, async (context) => {
    const pipelineId = pathParameter(context, "id");
    authorize(deps, context, "CreatePipelineVersion", `pipeline/${pipelineId}`);
    const request = await readRequest(context, PIPELINE_VERSION, "PipelineVersion");
    const source = await readSpecOfVersion(deps, context, request);
    const row = deps.database.transaction(() => {
      if (pipelines.get(pipelineId) === undefined) throw pipelineNotFound(pipelineId);
      return createVersion(deps.catalog, pipelineId, { ...request, source });
    });
    return context.json(pipelineVersionMessage(row));
  });

  app.get(BASE, (context) => {
    const pipelineId = pathParameter(context, "id");
    authorize(deps, context, "ListPipelineVersions", `pipeline/${pipelineId}`);
    if (pipelines.get(pipelineId) === undefined) throw pipelineNotFound(pipelineId);
    const scope = [{ sql: "pipeline_id = ?", values: [pipelineId] }];
    const page = deps.lists.list<PipelineVersionRow>(
      PIPELINE_VERSION_LIST,
      scope,
      queryOf(context),
    );
    return context.json(pageMessage("pipeline_versions", page, pipelineVersionMessage));
  });

  app.get(`${BASE}/:versionId`, (context) => {
    const id = pathParameter(context, "versionId");
    authorize(deps, context, "GetPipelineVersion", `version/${id}`);
    const row = versions.get(id);
    if (row === undefined) throw versionNotFound(id);
    return context.json(pipelineVersionMessage(row));
  });

  app.patch(`${BASE}/:versionId`, async (context) => {
    const id = pathParameter(context, "versionId");
    authorize(deps, context, "UpdatePipelineVersion", `version/${id}`);
    const change = await readRequest(context, PIPELINE_VERSION, "PipelineVersion");
    const row = versions.change(id, {
      displayName: changedName(change.display_name, VERSION_NAME_LENGTH_MAX),
      tags: changedTags(change.tags, context.req.header("x-clear-tags")),
    });
    if (row === undefined) throw versionNotFound(id);
    return context.json(pipelineVersionMessage(row));
  });

  app.delete(`${BASE}/:versionId`, (context) => {
    const id = pathParameter(context, "versionId");
    authorize(deps, context, "DeletePipelineVersion", `version/${id}`);
    if (versions.remove(id) === "absent") throw versionNotFound(id);
    return context.json({});
  });
}

export function versionNotFound(id: string): ApiError {
  return new ApiError("not-found", `Cannot find pipeline version ${id}`);
}
