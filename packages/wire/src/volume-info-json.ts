import type { Ttl, TtlUnit, VolumeStatus } from "./ports/volume-client.ts";

/** A volume as the status pages of SeaweedFS name it. */
export function volumeInfoJson(volume: VolumeStatus): unknown {
  const { form } = volume;
  return {
    Id: volume.id,
    Size: volume.sizeBytes,
    ReplicaPlacement: placementJson(volume.replicaPlacement),
    Ttl: { Count: volume.ttl.count, Unit: ttlUnitNumber(volume.ttl) },
    DiskType: volume.diskType,
    DiskId: volume.disk,
    Collection: volume.collection,
    Version: volume.version,
    FileCount: volume.liveCount,
    DeleteCount: volume.deletedCount,
    DeletedByteCount: volume.deletedBytes,
    ReadOnly: volume.state !== "writable",
    CompactRevision: volume.compactionRevision,
    ModifiedAtSecond: Math.floor(volume.modifiedMs / 1000),
    RemoteStorageName: form.kind === "remote" ? form.backend : "",
    RemoteStorageKey: form.kind === "remote" ? form.key : "",
  };
}

function placementJson(placement: number): unknown {
  const dc = Math.floor(placement / 100);
  const rack = Math.floor(placement / 10) % 10;
  const node = placement % 10;
  return {
    ...(node > 0 && { node }),
    ...(rack > 0 && { rack }),
    ...(dc > 0 && { dc }),
  };
}

const TTL_UNITS: readonly TtlUnit[] = ["none", "minute", "hour", "day", "week", "month", "year"];

function ttlUnitNumber(ttl: Ttl): number {
  return TTL_UNITS.indexOf(ttl.unit);
}
