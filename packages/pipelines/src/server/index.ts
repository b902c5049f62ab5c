import type { Clock, Log, ParseYamlDocuments, Random, SqlDatabase } from "@kelp/base";
import type { Lineage } from "@kelp/lineage";
import type { Authorizer, ObjectStore, PeopleHandler } from "@kelp/wire";
import { Hono } from "hono";
import { answerError } from "../api/answer-error.ts";
import type { ApiBindings, ApiDeps } from "../api/context.ts";
import { ApiError, STATUS_OF, statusMessage } from "../api/errors.ts";
import { Lists } from "../api/query/list.ts";
import { migrateRunIndexes } from "../api/query/run-indexes.ts";
import { artifactRoutes } from "../api/routes/artifacts.ts";
import { experimentRoutes } from "../api/routes/experiments.ts";
import { healthzRoutes } from "../api/routes/healthz.ts";
import { pipelineVersionRoutes } from "../api/routes/pipeline-versions.ts";
import { pipelineRoutes } from "../api/routes/pipelines.ts";
import { runGraphRoutes } from "../api/routes/run-graph.ts";
import { runRoutes } from "../api/routes/runs.ts";
import { unservedRoutes } from "../api/routes/unserved.ts";
import { uploadRoutes } from "../api/routes/uploads.ts";
import { openCatalog } from "../catalog/index.ts";
import type { PipelinesEngine } from "../index.ts";

export interface PipelinesHandlerDeps {
  readonly engine: PipelinesEngine;
  /** The engine's own database: the catalogue lies beside table `runs` so that a run and its experiment change together. */
  readonly database: SqlDatabase;
  readonly lineage: Lineage;
  readonly objects: ObjectStore;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Shown as `tag_name` by `healthz`. */
  readonly version: string;
  readonly parseYaml: ParseYamlDocuments;
}

/**
 * The pipelines REST API `v2beta1` and Kelp's additions under `/apis/kelp/v1`, as one handler for every path below
 * `/apis/`. Opens the catalogue in `database` (migrating it) and makes the default experiment; owns nothing that needs
 * closing. Requests are answered independently and in any order. Bodies are bounded (`limits.ts`); logs and artifacts are
 * streamed with back-pressure and end when `request.signal` aborts or the reader cancels.
 *
 * The handler never throws: refusals are answers (`google.rpc.Status`, or `{error_message, error_details}` for
 * uploads), and what nobody foresaw is logged and answered with 500.
 */
export function createPipelinesHandler(deps: PipelinesHandlerDeps): PeopleHandler {
  migrateRunIndexes(deps.database);
  const catalog = openCatalog(deps.database, deps);
  const app = createApp({ ...deps, catalog, lists: new Lists(deps.database) });
  return async (request, admission) => {
    if (admission.kind === "refused") {
      const code = admission.status === 401 ? "unauthenticated" : "permission-denied";
      const error = new ApiError(code, admission.message);
      return Response.json(statusMessage(error), { status: STATUS_OF[code].http });
    }
    return app.fetch(request, { principal: admission.principal });
  };
}

function createApp(deps: ApiDeps): Hono<{ Bindings: ApiBindings }> {
  const app = new Hono<{ Bindings: ApiBindings }>();
  app.onError((error, context) => answerError(error, context, deps.log));
  healthzRoutes(app, deps);
  uploadRoutes(app, deps);
  pipelineRoutes(app, deps);
  pipelineVersionRoutes(app, deps);
  experimentRoutes(app, deps);
  runRoutes(app, deps);
  runGraphRoutes(app, deps);
  artifactRoutes(app, deps);
  unservedRoutes(app);
  return app;
}
