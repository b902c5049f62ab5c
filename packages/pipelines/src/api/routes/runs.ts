import {
  type ApiApp,
  type ApiContext,
  type ApiDeps,
  authorize,
  pathParameter,
  queryOf,
  readRequest,
} from "../context.ts";
import { createRun } from "../create-run.ts";
import { type Run, isFinished } from "../../index.ts";
import { ApiError } from "../errors.ts";
import { pageMessage } from "../messages/catalog.ts";
import { RUN, runMessage } from "../messages/run.ts";
import type { SqlCondition } from "../query/condition.ts";
import { RUN_LIST } from "../query/fields.ts";
import { splitVerb, verbNotFound } from "./verb.ts";

const BASE = "/apis/v2beta1/runs";

export function runRoutes(app: ApiApp, deps: ApiDeps): void {
  app.post(BASE, async (context) => {
    authorize(deps, context, "CreateRun", "run/");
    const request = await readRequest(context, RUN, "Run");
    const experimentId = request.experiment_id || (queryOf(context).get("experiment_id") ?? "");
    const run = createRun(deps, { ...request, experiment_id: experimentId });
    return context.json(runMessage(run));
  });

  app.get(BASE, (context) => {
    authorize(deps, context, "ListRuns", "run/");
    const query = queryOf(context);
    const page = deps.lists.list<RunReference>(RUN_LIST, runScope(query), query);
    // A row may have been deleted since only by this very thread, which has not paused.
    const runs = page.rows.map((row) => getRun(deps, row.run_id));
    return context.json(pageMessage("runs", { ...page, rows: runs }, (run) => runMessage(run)));
  });

  app.get(`${BASE}/:id`, (context) => {
    const id = pathParameter(context, "id");
    authorize(deps, context, "GetRun", `run/${id}`);
    return context.json(runMessage(getRun(deps, id), deps.engine.getTasks(id)));
  });

  app.delete(`${BASE}/:id`, (context) => {
    const id = pathParameter(context, "id");
    authorize(deps, context, "DeleteRun", `run/${id}`);
    getRun(deps, id);
    deps.engine.deleteRun(id);
    return context.json({});
  });

  app.post(`${BASE}/:target`, (context) => {
    const { id, verb } = splitVerb(pathParameter(context, "target"));
    const act = RUN_VERBS.get(verb);
    if (act === undefined) throw verbNotFound(verb);
    act(deps, context, id);
    return context.json({});
  });
}

interface RunReference {
  readonly run_id: string;
  readonly sequence: number;
}

function runScope(query: URLSearchParams): SqlCondition[] {
  const experimentId = query.get("experiment_id") ?? "";
  return experimentId === "" ? [] : [{ sql: "experiment_id = ?", values: [experimentId] }];
}

type RunVerb = (deps: ApiDeps, context: ApiContext, id: string) => void;

const RUN_VERBS: ReadonlyMap<string, RunVerb> = new Map<string, RunVerb>([
  [
    "archive",
    (deps, context, id) => {
      authorize(deps, context, "ArchiveRun", `run/${id}`);
      getRun(deps, id);
      deps.engine.archiveRun(id);
    },
  ],
  ["unarchive", unarchiveRun],
  [
    "terminate",
    (deps, context, id) => {
      authorize(deps, context, "TerminateRun", `run/${id}`);
      // Clients tidy up by terminating whatever they started; a run that was faster is what they wanted.
      if (!isFinished(getRun(deps, id).state)) deps.engine.terminateRun(id);
    },
  ],
  [
    "retry",
    (deps, context, id) => {
      authorize(deps, context, "RetryRun", `run/${id}`);
      getRun(deps, id);
      deps.engine.retryRun(id);
    },
  ],
]);

function unarchiveRun(deps: ApiDeps, context: ApiContext, id: string): void {
  authorize(deps, context, "UnarchiveRun", `run/${id}`);
  const experiment = deps.catalog.experiments.get(getRun(deps, id).experimentId);
  if (experiment?.storage_state === "ARCHIVED") {
    throw new ApiError(
      "failed-precondition",
      `Cannot unarchive run ${id}: its experiment ${experiment.display_name} is archived`,
    );
  }
  deps.engine.unarchiveRun(id);
}

/** Throws `ApiError` "not-found". */
export function getRun(deps: ApiDeps, id: string): Run {
  const run = deps.engine.getRun(id);
  if (run === undefined) throw new ApiError("not-found", `Cannot find run ${id}`);
  return run;
}
