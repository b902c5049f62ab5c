import type { PeopleHandler } from "@kelp/wire";
import { Hono } from "hono";
import { type ConsoleEnvironment, admitted } from "./access.ts";
import { addBucketRoutes } from "./api/buckets.ts";
import { addClusterRoutes } from "./api/cluster.ts";
import { addEntryRoutes } from "./api/entry.ts";
import { addIdentityRoutes } from "./api/identities.ts";
import { addObjectBodyRoutes } from "./api/object-body.ts";
import { addObjectRoutes } from "./api/objects.ts";
import { addOverviewRoutes } from "./api/overview.ts";
import { addSessionRoutes } from "./api/session.ts";
import { addSnapshotRoutes } from "./api/snapshots.ts";
import { addVolumeFormRoutes } from "./api/volume-forms.ts";
import { addVolumeRoutes } from "./api/volumes.ts";
import type { ConsoleDependencies } from "./dependencies.ts";
import { errorResponse } from "./error-response.ts";
import { ConsoleError } from "./errors.ts";
import { metricsResponse } from "./metrics/metrics-response.ts";
import { staticResponse } from "./static-response.ts";

/**
 * The console's door: `/api/v1/**`, `/metrics` and, for every other path, the web app's files.
 *
 * The app's files are given to callers whom the gate asks to sign in (401), so that they see the sign-in page; callers
 * from a foreign host or origin (403) get nothing. `/metrics` and every route of `/api/v1` but `/session` ask the authoriser.
 * The handler never rejects: refusals and faults are answers with an `ErrorMessage`.
 */
export function createConsoleHandler(dependencies: ConsoleDependencies): PeopleHandler {
  const log = dependencies.log.child({ door: "console" });
  const api = createApi(dependencies);
  return async (request, admission, gateRequest) => {
    try {
      const { pathname } = new URL(request.url);
      if (pathname === "/api" || pathname.startsWith("/api/")) {
        return await api.fetch(request, { admission, gateRequest });
      }
      if (pathname === "/metrics") {
        return await metricsResponse(dependencies, { method: request.method, admission });
      }
      if (admission.kind === "refused" && admission.status === 403) {
        throw new ConsoleError("foreign-origin", admission.message);
      }
      return await staticResponse(dependencies.staticFiles, {
        method: request.method,
        path: pathname,
      });
    } catch (error) {
      return errorResponse(error, log);
    }
  };
}

function createApi(dependencies: ConsoleDependencies): Hono<ConsoleEnvironment> {
  const { clock } = dependencies;
  const log = dependencies.log.child({ door: "console" });
  const api = new Hono<ConsoleEnvironment>().basePath("/api/v1");
  api.use(async (context, next) => {
    const startedMs = clock.monotonicMs();
    await next();
    log.debug("answered", {
      method: context.req.method,
      path: context.req.path,
      status: context.res.status,
      duration_ms: clock.monotonicMs() - startedMs,
    });
    if (!context.res.headers.has("cache-control")) context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
  });
  addSessionRoutes(api, dependencies);
  // Whom the gate refused gets no further: no body of theirs is read, and no route can forget to ask.
  api.use(async (context, next) => {
    admitted(context);
    await next();
  });
  addOverviewRoutes(api, dependencies);
  addClusterRoutes(api, dependencies);
  addVolumeRoutes(api, dependencies);
  addVolumeFormRoutes(api, dependencies);
  addBucketRoutes(api, dependencies);
  addObjectRoutes(api, dependencies);
  addObjectBodyRoutes(api, dependencies);
  addSnapshotRoutes(api, dependencies);
  addEntryRoutes(api, dependencies);
  addIdentityRoutes(api, dependencies);
  api.onError((error) => errorResponse(error, log));
  api.notFound((context) =>
    errorResponse(
      new ConsoleError("no-such-route", `There is no ${context.req.method} ${context.req.path}`),
      log,
    ),
  );
  return api;
}
