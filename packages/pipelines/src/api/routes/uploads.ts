import { Hono } from "hono";
import {
  type ApiApp,
  type ApiBindings,
  type ApiContext,
  type ApiDeps,
  authorize,
  queryOf,
} from "../context.ts";
import { checkSpec } from "../check-spec.ts";
import { createPipelineWithVersion, createVersion } from "../create-pipeline.ts";
import { ApiError } from "../errors.ts";
import { UPLOAD_REQUEST_BYTES_MAX } from "../limits.ts";
import { pipelineMessage, pipelineVersionMessage } from "../messages/catalog.ts";
import { parseTags } from "../messages/names.ts";
import { readBody } from "../read-body.ts";
import { answerUploadError } from "../answer-error.ts";
import { parseMultipart } from "../upload/multipart.ts";
import { readPackage } from "../upload/package.ts";
import { pipelineNotFound } from "./pipelines.ts";

const FILE_PART = "uploadfile";

/** Pipelines from files. These two routes have a form of error of their own. */
export function uploadRoutes(app: ApiApp, deps: ApiDeps): void {
  const uploads = new Hono<{ Bindings: ApiBindings }>();
  uploads.onError((error, context) => answerUploadError(error, context, deps.log));

  uploads.post("/upload", async (context) => {
    authorize(deps, context, "CreatePipeline", "pipeline/");
    const upload = await readUpload(deps, context);
    const pipeline = { ...upload, name: upload.name || upload.display_name || upload.fileName };
    const version = { ...upload, name: "", tags: {} };
    const created = createPipelineWithVersion(deps, pipeline, version);
    return context.json(pipelineMessage(created.pipeline));
  });

  uploads.post("/upload_version", async (context) => {
    const pipelineId = queryOf(context).get("pipelineid") ?? "";
    authorize(deps, context, "CreatePipelineVersion", `pipeline/${pipelineId}`);
    if (pipelineId === "") {
      throw new ApiError("invalid-argument", "Cannot upload a version: pipelineid is not given");
    }
    const upload = await readUpload(deps, context);
    const name = upload.name || upload.display_name || upload.fileName;
    const row = deps.database.transaction(() => {
      if (deps.catalog.pipelines.get(pipelineId) === undefined) throw pipelineNotFound(pipelineId);
      return createVersion(deps.catalog, pipelineId, { ...upload, name });
    });
    return context.json(pipelineVersionMessage(row));
  });

  app.route("/apis/v2beta1/pipelines", uploads);
}

async function readUpload(deps: ApiDeps, context: ApiContext) {
  const query = queryOf(context);
  const tags = parseTags(query.get("tags") ?? "");
  const body = await readBody(context.req.raw, UPLOAD_REQUEST_BYTES_MAX);
  const parts = parseMultipart(context.req.header("content-type") ?? "", body);
  const part = parts.find(({ name }) => name === FILE_PART);
  if (part?.fileName === undefined) {
    throw new ApiError("invalid-argument", `Cannot read the upload: no file in part ${FILE_PART}`);
  }
  return {
    fileName: part.fileName,
    source: checkSpec(readPackage(part.fileName, part.content, deps.parseYaml)),
    name: query.get("name") ?? "",
    display_name: query.get("display_name") ?? "",
    description: query.get("description") ?? "",
    code_source_url: query.get("code_source_url") ?? "",
    tags,
  };
}
