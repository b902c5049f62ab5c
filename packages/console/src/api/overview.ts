import { serviceArn } from "@kelp/wire";
import type { OverviewMessage } from "@kelp/wire/management";
import { requireAccess } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { storeProblems } from "../problems.ts";
import type { Api } from "./routes.ts";

export function addOverviewRoutes(api: Api, dependencies: ConsoleDependencies): void {
  const { authorizer, master, objects, version, info } = dependencies;

  api.get("/overview", async (context) => {
    requireAccess(authorizer, context, {
      action: "kelp:GetOverview",
      resource: serviceArn("store", "overview"),
    });
    const [buckets, status] = await Promise.all([objects.listBuckets(), master.status()]);
    const { endpoints, startedMs, memoryRssBytes } = info();
    let objectCount = 0;
    let sizeBytes = 0;
    for (const bucket of buckets) {
      objectCount += bucket.objectCount;
      sizeBytes += bucket.sizeBytes;
    }
    return context.json({
      version,
      started_ms: startedMs,
      endpoints,
      store: {
        bucket_count: buckets.length,
        object_count: objectCount,
        size_bytes: sizeBytes,
        disk_total_bytes: status.totalBytes,
        disk_available_bytes: status.availableBytes,
        volume_count: status.volumes.length,
        memory_rss_bytes: memoryRssBytes,
      },
      problems: storeProblems(status),
    } satisfies OverviewMessage);
  });
}
