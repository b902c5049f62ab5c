import { type ScannedNeedle, type Ttl, type VolumeId, needleId, volumeId } from "@kelp/wire";
import type { BackupVolume, DamagedVolume } from "@kelp/filer";
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
      live_bytes: z.number().optional(),
    }),
  ),
});

export type HoldMessage = z.infer<typeof holdSchema>;

export const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const hexId = z
  .string()
  .regex(/^[0-9a-f]{1,16}$/)
  .transform((text) => needleId(BigInt(`0x${text}`)));

/** A line of `GET /api/v1/backup/holds/ID/volumes/ID`. */
const needleLineSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("live"),
    needle_id: hexId,
    cookie: z.number(),
    size_bytes: z.number(),
    appended_ns: z.string().regex(/^\d+$/),
  }),
  z.object({
    kind: z.literal("corrupt"),
    needle_id: hexId,
    cookie: z.number().optional(),
    offset_bytes: z.number(),
    record_bytes: z.number(),
    reason: z.string(),
  }),
  z.object({ kind: z.literal("damaged-volume"), reason: z.string() }),
  z.object({ kind: z.literal("end") }),
]);

/** The last line. */
export const END_LINE = `${JSON.stringify({ kind: "end" })}\n`;

export function needleLine(found: ScannedNeedle | DamagedVolume): string {
  return `${JSON.stringify(needleMessage(found))}\n`;
}

function needleMessage(found: ScannedNeedle | DamagedVolume): unknown {
  if (found.kind === "damaged-volume") return found;
  const { kind, cookie } = found;
  const common = { kind, needle_id: found.needleId.toString(16), cookie };
  if (found.kind === "live") {
    return { ...common, size_bytes: found.sizeBytes, appended_ns: `${found.appendedNs}` };
  }
  const { offsetBytes, recordBytes, reason } = found;
  return { ...common, offset_bytes: offsetBytes, record_bytes: recordBytes, reason };
}

/** Throws `ZodError` and `SyntaxError`. */
export function parseNeedleLine(line: string): ScannedNeedle | DamagedVolume | { kind: "end" } {
  const found = needleLineSchema.parse(JSON.parse(line));
  if (found.kind === "end" || found.kind === "damaged-volume") return found;
  const { cookie } = found;
  if (found.kind === "live") {
    return {
      kind: "live",
      needleId: found.needle_id,
      cookie: found.cookie,
      sizeBytes: found.size_bytes,
      appendedNs: BigInt(found.appended_ns),
    };
  }
  return {
    kind: "corrupt",
    needleId: found.needle_id,
    cookie,
    offsetBytes: found.offset_bytes,
    recordBytes: found.record_bytes,
    reason: found.reason,
  };
}

export function volumeMessage(volume: BackupVolume): HoldMessage["volumes"][number] {
  const { id, collection, replicaPlacement, ttl, diskType, liveBytes } = volume;
  return {
    id,
    collection,
    replica_placement: replicaPlacement,
    ttl,
    disk_type: diskType,
    live_bytes: liveBytes,
  };
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
    liveBytes: message.live_bytes,
  };
}
