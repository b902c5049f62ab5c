import { serviceArn } from "@kelp/wire";
import type { ClusterMessage } from "@kelp/wire/management";
import { requireAccess } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { storeProblems } from "../problems.ts";
import type { Api } from "./routes.ts";

export function addClusterRoutes(api: Api, dependencies: ConsoleDependencies): void {
  const { authorizer, master, version, info } = dependencies;

  api.get("/cluster", async (context) => {
    requireAccess(authorizer, context, {
      action: "kelp:GetCluster",
      resource: serviceArn("store", "cluster"),
    });
    const status = await master.status();
    const { endpoints, dir, startedMs } = info();
    return context.json({
      version,
      started_ms: startedMs,
      endpoints,
      dir,
      disk_total_bytes: status.totalBytes,
      disk_available_bytes: status.availableBytes,
      volume_count: status.volumes.length,
      healthy: storeProblems(status).length === 0,
    } satisfies ClusterMessage);
  });
}
