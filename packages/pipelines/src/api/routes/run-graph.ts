import { type ApiApp, type ApiDeps, authorize, pathParameter } from "../context.ts";
import { runGraphMessage } from "../../index.ts";
import { ApiError } from "../errors.ts";
import { parseQueryBoolean } from "../messages/proto.ts";
import { toReadableStream } from "../readable-stream.ts";
import { getRun } from "./runs.ts";

/** Kelp's own view of a run: every task with its values, and the logs of steps. */
export function runGraphRoutes(app: ApiApp, deps: ApiDeps): void {
  app.get("/apis/kelp/v1/runs/:id/graph", (context) => {
    const id = pathParameter(context, "id");
    authorize(deps, context, "GetRun", `run/${id}`);
    return context.json(runGraphMessage(getRun(deps, id), deps.engine.getTasks(id)));
  });

  app.get("/apis/kelp/v1/runs/:id/tasks/:taskId/log", (context) => {
    const id = pathParameter(context, "id");
    const taskId = pathParameter(context, "taskId");
    authorize(deps, context, "GetRunLog", `run/${id}`);
    const isFollowed = parseQueryBoolean("follow", context.req.query("follow"));
    getRun(deps, id);
    const task = deps.engine.getTask(id, taskId);
    if (task?.kind !== "step") {
      throw new ApiError("not-found", `Cannot find a log: run ${id} has no step ${taskId}`);
    }
    // The reader goes away either by aborting the request or by cancelling the answer's body.
    const reader = new AbortController();
    const signal = AbortSignal.any([reader.signal, context.req.raw.signal]);
    const log = deps.engine.openLog(id, taskId, { follow: isFollowed, signal });
    return new Response(
      toReadableStream(log, () => reader.abort()),
      {
        headers: {
          "content-type": "text/plain; charset=utf-8",
          "x-content-type-options": "nosniff",
          "cache-control": "no-store",
        },
      },
    );
  });
}
