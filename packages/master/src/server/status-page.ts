import {
  type HttpReply,
  escapeHtml,
  htmlReply,
  htmlTable,
  readableDuration,
  readableSize,
} from "@kelp/base/http";
import { formatTtl } from "@kelp/wire";
import { replicationText } from "./placement.ts";
import { type Topology, volumeCounts } from "./topology.ts";

/** What a person sees at the master's address. */
export function masterPage(topology: Topology, upMs: number): HttpReply {
  const { version, node, volumes, disks } = topology;
  const { max, free } = volumeCounts(topology);
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
    replicationText(volume.replicaPlacement),
    formatTtl(volume.ttl),
    escapeHtml(volume.form.kind),
    escapeHtml(volume.state),
    readableSize(volume.sizeBytes),
    String(volume.liveCount),
  ]);
  const disksTable = htmlTable(["Folder", "Kind", "State", "Size#", "Free#", "Volumes#"], diskRows);
  const volumesTable = htmlTable(
    ["Id", "Collection", "Copies", "TTL", "Form", "State", "Size#", "Files#"],
    volumeRows,
  );
  const summary = `Version ${escapeHtml(version)}, up ${readableDuration(upMs)}. ${volumes.length} volumes, room for ${free} more of ${max}.`;
  const server = `Volume server: <a href="http://${escapeHtml(node)}/ui/index.html">${escapeHtml(node)}</a>`;
  return htmlReply({
    title: "Kelp master",
    body: `<h1>Kelp master</h1><p>${summary}</p><p>${server}</p><h2>Disks</h2>${disksTable}<h2>Volumes</h2>${volumesTable}`,
  });
}
