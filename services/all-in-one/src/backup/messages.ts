import { type Ttl, type VolumeId, volumeId } from "@kelp/wire";
import type { BackupVolume } from "@kelp/filer";
import { z } from "zod";

/** Paths of the backup's own part of the people's door. */
export const BACKUP_PATH = "/api/v1/backup/";
/** CRC-32C of a chunk's bytes as 8 hex digits: what came over the connection is what was sent. */
export const CHECKSUM_HEADER = "x-kelp-crc32c";

const ttlSchema = z.object({
  count: z.number(),
  unit: z.enum(["none", "minute", "hour", "day", "week", "month", "year"]),
});

/** `POST /api/v1/backup/holds` */
export const holdSchema = z.object({
  hold: z.string(),
  store_id: z.string(),
  volumes: z.array(
    z.object({
      id: z.number(),
      collection: z.string(),
      replica_placement: z.number(),
      ttl: ttlSchema,
      disk_type: z.string(),
    }),
  ),
});

export type HoldMessage = z.infer<typeof holdSchema>;

export const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export function volumeMessage(volume: BackupVolume): HoldMessage["volumes"][number] {
  const { id, collection, replicaPlacement, ttl, diskType } = volume;
  return { id, collection, replica_placement: replicaPlacement, ttl, disk_type: diskType };
}

export function volumeOf(message: HoldMessage["volumes"][number]): BackupVolume {
  const id: VolumeId = volumeId(message.id);
  const ttl: Ttl = message.ttl;
  return {
    id,
    collection: message.collection,
    replicaPlacement: message.replica_placement,
    ttl,
    diskType: message.disk_type,
  };
}
