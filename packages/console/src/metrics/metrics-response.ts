import { type Admission, serviceArn } from "@kelp/wire";
import { mayAccess } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { ConsoleError } from "../errors.ts";
import { storeMetrics } from "./store-metrics.ts";
import { METRICS_CONTENT_TYPE, formatMetrics } from "./text-format.ts";

const ACTION = "kelp:ReadMetrics";

/** `GET /metrics`: for whoever the gate let in and a policy allows `kelp:ReadMetrics`. Throws `ConsoleError`. */
export async function metricsResponse(
  dependencies: ConsoleDependencies,
  asked: { readonly method: string; readonly admission: Admission },
): Promise<Response> {
  const { authorizer, master, volumes, info, entryFigures } = dependencies;
  const { method, admission } = asked;
  if (admission.kind !== "admitted") {
    const code = admission.status === 401 ? "sign-in-required" : "foreign-origin";
    throw new ConsoleError(code, admission.message);
  }
  const resource = serviceArn("store", "metrics");
  if (!mayAccess(authorizer, admission.principal, { action: ACTION, resource })) {
    throw new ConsoleError("access-denied", `${admission.principal.name} may not do ${ACTION}`);
  }
  if (method !== "GET" && method !== "HEAD") {
    throw new ConsoleError("no-such-route", `There is no ${method} /metrics`);
  }
  const [status, disks] = await Promise.all([master.status(), volumes.disks()]);
  const text = formatMetrics(
    storeMetrics({
      status,
      disks,
      figures: volumes.figures(),
      entries: entryFigures(),
      quarantined: volumes.quarantined(),
      process: info(),
    }),
  );
  return new Response(method === "HEAD" ? null : text, {
    headers: {
      "content-type": METRICS_CONTENT_TYPE,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
