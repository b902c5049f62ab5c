import { type DiskStatus, type VolumeStatus, formatTtl, volumeInfoJson } from "@kelp/wire";
import { DATA_CENTER, RACK, replicationText } from "./placement.ts";

/** What there is, for the answers that tell it in the names of SeaweedFS. */
export interface Topology {
  readonly version: string;
  /** Of this data folder, for ever. */
  readonly topologyId: string;
  /** `host:port` of the volume server. */
  readonly node: string;
  readonly volumes: readonly VolumeStatus[];
  readonly disks: readonly DiskStatus[];
  readonly volumeSizeBytesMax: number;
}

/** `/dir/status`. */
export function topologyJson(topology: Topology): unknown {
  const { version, topologyId, node, volumes } = topology;
  const { max, free } = volumeCounts(topology);
  const isCoded = (volume: VolumeStatus): boolean => volume.form.kind === "erasure-coded";
  const plain = volumes.filter((volume) => !isCoded(volume));
  return {
    Version: version,
    TopologyId: topologyId,
    Topology: {
      Max: max,
      Free: free,
      DataCenters: [
        {
          Id: DATA_CENTER,
          Racks: [
            {
              Id: RACK,
              DataNodes: [
                {
                  Url: node,
                  PublicUrl: node,
                  Volumes: plain.length,
                  EcShards: shardCount(volumes),
                  Max: max,
                  VolumeIds: readableIds(plain.map(({ id }) => id)),
                },
              ],
            },
          ],
        },
      ],
      Layouts: layouts(plain),
    },
  };
}

/** `/vol/status`. */
export function volumesJson(topology: Topology): unknown {
  const { max, free } = volumeCounts(topology);
  return {
    Version: topology.version,
    Volumes: {
      Max: max,
      Free: free,
      DataCenters: {
        [DATA_CENTER]: { [RACK]: { [topology.node]: topology.volumes.map(volumeInfoJson) } },
      },
    },
  };
}

/** As many as the operator allows, or as the free space holds. */
export function volumeCounts(topology: Topology): { readonly max: number; readonly free: number } {
  let max = 0;
  for (const disk of topology.disks) {
    const byspace =
      disk.volumeCount + Math.floor(disk.availableBytes / topology.volumeSizeBytesMax);
    max += disk.state === "failed" ? disk.volumeCount : (disk.volumeCountMax ?? byspace);
  }
  return { max, free: Math.max(0, max - topology.volumes.length) };
}

function shardCount(volumes: readonly VolumeStatus[]): number {
  let count = 0;
  for (const { form } of volumes) {
    if (form.kind !== "erasure-coded") continue;
    count += form.dataShards + form.parityShards - form.missingShards.length;
  }
  return count;
}

/** ` 1-3 7`: runs of numbers, each behind a space. */
function readableIds(ids: readonly number[]): string {
  const sorted = ids.toSorted((left, right) => left - right);
  let text = "";
  for (let at = 0; at < sorted.length; at++) {
    const first = sorted[at] ?? 0;
    let last = first;
    while (sorted[at + 1] === last + 1) {
      last++;
      at++;
    }
    text += first === last ? ` ${first}` : ` ${first}-${last}`;
  }
  return text;
}

interface Layout {
  readonly replication: string;
  readonly ttl: string;
  readonly writables: number[];
  readonly collection: string;
  readonly diskType: string;
}

function layouts(volumes: readonly VolumeStatus[]): readonly Layout[] {
  const byTraits = new Map<string, Layout>();
  for (const volume of volumes) {
    const replication = replicationText(volume.replicaPlacement);
    const ttl = formatTtl(volume.ttl);
    const { collection, diskType } = volume;
    const name = JSON.stringify([collection, replication, ttl, diskType]);
    let layout = byTraits.get(name);
    if (layout === undefined) {
      layout = { replication, ttl, writables: [], collection, diskType: diskType || "hdd" };
      byTraits.set(name, layout);
    }
    if (volume.state === "writable") layout.writables.push(volume.id);
  }
  return [...byTraits.values()];
}

/** `/collection/info`; `undefined` when no volume is of the collection. */
export function collectionJson(topology: Topology, collection: string): unknown {
  const volumes = topology.volumes.filter((volume) => volume.collection === collection);
  if (volumes.length === 0) return undefined;
  return {
    TotalSize: volumes.length * topology.volumeSizeBytesMax,
    UsedSize: volumes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    FileCount: volumes.reduce((sum, { liveCount }) => sum + liveCount, 0),
    VolumeCount: volumes.length,
  };
}

/** The same of each layout of the collection. */
export function collectionDetailJson(topology: Topology, collection: string): unknown {
  const volumes = topology.volumes.filter((volume) => volume.collection === collection);
  if (volumes.length === 0) return undefined;
  return layouts(volumes).map((layout) => {
    const members = volumes.filter(
      ({ ttl, diskType }) =>
        formatTtl(ttl) === layout.ttl && (diskType || "hdd") === layout.diskType,
    );
    return {
      Replication: layout.replication,
      TTL: layout.ttl,
      DiskType: layout.diskType,
      ...(collectionJson({ ...topology, volumes: members }, collection) as object),
    };
  });
}
