import {
  type Artifact,
  type ListArtifacts,
  artifactLineageMessage,
  artifactMessage,
} from "@kelp/lineage";
import { type ApiApp, type ApiDeps, authorize, pathParameter, queryOf } from "../context.ts";
import { answerContent } from "../artifact-content.ts";
import { ApiError } from "../errors.ts";
import { populated } from "../messages/proto.ts";
import { parsePageSize } from "../query/list.ts";
import { formatPageToken, parsePageToken } from "../query/page-token.ts";

const BASE = "/apis/kelp/v1/artifacts";

/** Artifacts: newest first, one with its lineage, and their content. */
export function artifactRoutes(app: ApiApp, deps: ApiDeps): void {
  app.get(BASE, (context) => {
    authorize(deps, context, "ListArtifacts", "artifact/");
    const query = queryOf(context);
    const runId = query.get("run_id") ?? "";
    const type = query.get("type") ?? "";
    const token = query.get("page_token") ?? "";
    const order = JSON.stringify(["artifacts", runId, type]);
    const request: ListArtifacts = {
      pageSize: parsePageSize(query.get("page_size") ?? ""),
      ...(runId === "" ? {} : { runId }),
      ...(type === "" ? {} : { type }),
      ...(token === "" ? {} : { after: parsePageToken(order, token).sequence }),
    };
    const page = deps.lineage.listArtifacts(request);
    return context.json({
      artifacts: page.artifacts.map(artifactMessage),
      ...populated({
        next_page_token:
          page.next === undefined
            ? undefined
            : formatPageToken(order, { sortKey: page.next, sequence: page.next }),
      }),
      total_size: page.totalSize,
    });
  });

  app.get(`${BASE}/:id`, (context) => {
    const id = pathParameter(context, "id");
    authorize(deps, context, "GetArtifact", `artifact/${id}`);
    const found = deps.lineage.getLineage(getArtifact(deps, id).artifactId);
    if (found === undefined) throw artifactNotFound(id);
    return context.json(artifactLineageMessage(found));
  });

  app.get(`${BASE}/:id/content`, (context) => {
    const id = pathParameter(context, "id");
    authorize(deps, context, "GetArtifact", `artifact/${id}`);
    return answerContent(deps, context, getArtifact(deps, id), context.req.query("path") ?? "");
  });
}

function getArtifact(deps: ApiDeps, id: string): Artifact {
  const artifact = /^\d{1,15}$/.test(id) ? deps.lineage.getArtifact(Number(id)) : undefined;
  if (artifact === undefined) throw artifactNotFound(id);
  return artifact;
}

function artifactNotFound(id: string): ApiError {
  return new ApiError("not-found", `Cannot find artifact ${id}`);
}
