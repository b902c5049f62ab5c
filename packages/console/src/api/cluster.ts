import { type VolumeStatus, serviceArn } from "@kelp/wire";
import type { ClusterMessage, VolumeMessage } from "@kelp/wire/management";
import { requireAccess } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { storeProblems } from "../problems.ts";
import type { Api } from "./routes.ts";

export function addClusterRoutes(api: Api, dependencies: ConsoleDependencies): void {
  const { authorizer, master, version, info } = dependencies;

  api.get("/volumes", async (context) => {
    requireAccess(authorizer, context, {
      action: "kelp:ListVolumes",
      resource: serviceArn("store", "volumes"),
    });
    const { volumes } = await master.status();
    return context.json({ volumes: volumes.map(volumeMessage) });
  });

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

function volumeMessage(volume: VolumeStatus): VolumeMessage {
  return {
    id: volume.id,
    collection: volume.collection,
    size_bytes: volume.sizeBytes,
    live_count: volume.liveCount,
    live_bytes: volume.liveBytes,
    deleted_count: volume.deletedCount,
    deleted_bytes: volume.deletedBytes,
    state: volume.state,
  };
}
