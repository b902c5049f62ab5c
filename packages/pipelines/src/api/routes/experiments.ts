import type { ExperimentRow } from "../../catalog/index.ts";
import {
  type ApiApp,
  type ApiContext,
  type ApiDeps,
  NAMESPACE,
  authorize,
  pathParameter,
  queryOf,
  readRequest,
} from "../context.ts";
import { ApiError } from "../errors.ts";
import { EXPERIMENT_NAME_LENGTH_MAX } from "../limits.ts";
import { EXPERIMENT, experimentMessage, pageMessage } from "../messages/catalog.ts";
import { checkDescription, checkName } from "../messages/names.ts";
import { EXPERIMENT_LIST } from "../query/fields.ts";
import { splitVerb, verbNotFound } from "./verb.ts";

const BASE = "/apis/v2beta1/experiments";

export function experimentRoutes(app: ApiApp, deps: ApiDeps): void {
  const { experiments } = deps.catalog;

  app.post(BASE, async (context) => {
    authorize(deps, context, "CreateExperiment", "experiment/");
    const request = await readRequest(context, EXPERIMENT, "Experiment");
    const displayName = checkName("display_name", request.display_name, EXPERIMENT_NAME_LENGTH_MAX);
    const description = checkDescription(request.description);
    const created = experiments.create({ displayName, description, namespace: NAMESPACE });
    if (created.kind === "ok") return context.json(experimentMessage(created.value));
    throw new ApiError(
      "already-exists",
      `Cannot create experiment ${displayName}: the name is taken`,
    );
  });

  app.get(BASE, (context) => {
    authorize(deps, context, "ListExperiments", "experiment/");
    const page = deps.lists.list<ExperimentRow>(EXPERIMENT_LIST, [], queryOf(context));
    return context.json(pageMessage("experiments", page, experimentMessage));
  });

  app.get(`${BASE}/:id`, (context) => {
    const id = pathParameter(context, "id");
    authorize(deps, context, "GetExperiment", `experiment/${id}`);
    const row = experiments.get(id);
    if (row === undefined) throw experimentNotFound(id);
    return context.json(experimentMessage(row));
  });

  app.post(`${BASE}/:target`, (context) => {
    const { id, verb } = splitVerb(pathParameter(context, "target"));
    switch (verb) {
      case "archive":
        return archiveExperiment(deps, context, id);
      case "unarchive":
        return unarchiveExperiment(deps, context, id);
      default:
        throw verbNotFound(verb);
    }
  });

  app.delete(`${BASE}/:id`, (context) => {
    const id = pathParameter(context, "id");
    authorize(deps, context, "DeleteExperiment", `experiment/${id}`);
    const outcome = experiments.remove(id);
    if (outcome === "absent") throw experimentNotFound(id);
    if (outcome === "is-default") {
      throw new ApiError(
        "failed-precondition",
        "Cannot delete the default experiment: runs that name no experiment belong to it",
      );
    }
    return context.json({});
  });
}

/** All runs of the experiment are archived with it. */
function archiveExperiment(deps: ApiDeps, context: ApiContext, id: string): Response {
  authorize(deps, context, "ArchiveExperiment", `experiment/${id}`);
  deps.database.transaction(() => {
    if (deps.catalog.experiments.setStorageState(id, "ARCHIVED") === "absent") {
      throw experimentNotFound(id);
    }
    const runs = deps.database
      .prepare<{ run_id: string }>(
        "SELECT run_id FROM runs WHERE experiment_id = ? AND storage_state <> 'ARCHIVED'",
      )
      .all(id);
    for (const run of runs) deps.engine.archiveRun(run.run_id);
  });
  return context.json({});
}

/** Its runs stay archived: some of them may have been before. */
function unarchiveExperiment(deps: ApiDeps, context: ApiContext, id: string): Response {
  authorize(deps, context, "UnarchiveExperiment", `experiment/${id}`);
  if (deps.catalog.experiments.setStorageState(id, "AVAILABLE") === "absent") {
    throw experimentNotFound(id);
  }
  return context.json({});
}

export function experimentNotFound(id: string): ApiError {
  return new ApiError("not-found", `Cannot find experiment ${id}`);
}
