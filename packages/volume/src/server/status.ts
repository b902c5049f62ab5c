import type { Clock } from "@kelp/base";
import {
  type HttpReply,
  escapeHtml,
  htmlReply,
  htmlTable,
  isoDate,
  readableDuration,
  readableSize,
} from "@kelp/base/http";
import { type DiskStatus, type VolumeAdmin, type VolumeClient, volumeInfoJson } from "@kelp/wire";

export interface StatusDeps {
  readonly volumes: Pick<VolumeClient, "volumes">;
  readonly disks: Pick<VolumeAdmin, "disks">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly version: string;
  readonly startedMs: number;
}

/** `/status`, in the names of SeaweedFS. */
export async function volumeStatus(deps: StatusDeps): Promise<unknown> {
  const [volumes, disks] = await Promise.all([deps.volumes.volumes(), deps.disks.disks()]);
  return {
    Version: deps.version,
    DiskStatuses: disks.map(diskJson),
    Volumes: volumes.map(volumeInfoJson),
  };
}

function diskJson(disk: DiskStatus): unknown {
  const usedBytes = disk.totalBytes - disk.availableBytes;
  const percent = (bytes: number): number =>
    disk.totalBytes === 0 ? 0 : (bytes / disk.totalBytes) * 100;
  return {
    dir: disk.folder,
    all: disk.totalBytes,
    used: usedBytes,
    free: disk.availableBytes,
    percent_free: percent(disk.availableBytes),
    percent_used: percent(usedBytes),
    disk_type: disk.diskType,
  };
}

export async function volumePage(deps: StatusDeps): Promise<HttpReply> {
  const [volumes, disks] = await Promise.all([deps.volumes.volumes(), deps.disks.disks()]);
  const upMs = deps.clock.nowMs() - deps.startedMs;
  const diskRows = disks.map((disk) => [
    escapeHtml(disk.folder),
    escapeHtml(disk.diskType || "any"),
    escapeHtml(disk.state),
    readableSize(disk.totalBytes),
    readableSize(disk.availableBytes),
    String(disk.volumeCount),
  ]);
  const volumeRows = volumes.map((volume) => [
    String(volume.id),
    escapeHtml(volume.collection),
    escapeHtml(volume.form.kind),
    escapeHtml(volume.state),
    readableSize(volume.sizeBytes),
    String(volume.liveCount),
    readableSize(volume.deletedBytes),
    volume.modifiedMs === 0 ? "" : isoDate(volume.modifiedMs),
  ]);
  const disksTable = htmlTable(["Folder", "Kind", "State", "Size#", "Free#", "Volumes#"], diskRows);
  const volumesTable = htmlTable(
    ["Id", "Collection", "Form", "State", "Size#", "Files#", "Garbage#", "Modified"],
    volumeRows,
  );
  return htmlReply({
    title: "Kelp volume server",
    body: `<h1>Kelp volume server</h1><p>Version ${escapeHtml(deps.version)}, up ${readableDuration(upMs)}</p><h2>Disks</h2>${disksTable}<h2>Volumes</h2>${volumesTable}`,
  });
}
