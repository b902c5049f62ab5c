import {
  type ChunkRead,
  type DamagedVolume,
  type NeedleRead,
  encodeLooseNeedle,
} from "@kelp/filer";
import type { Fid, NeedleStore, ScannedNeedle, VolumeClient, VolumeId } from "@kelp/wire";

/** Codes of volumes that say of the content, or of the disks and stores under it, rather than of the moment, that it is not to be had. */
const DAMAGED_CODES = new Set([
  "needle-corrupt",
  "cookie-mismatch",
  "no-such-volume",
  "volume-failed",
  "volume-missing",
  "read-failed",
  "too-few-shards",
  "shards-corrupt",
  "index-corrupt",
  "unsupported-format",
  "remote-failed",
]);

/** A chunk as it is stored. What damage keeps back is told; what else fails is thrown. */
export async function readStoredChunk(volumes: VolumeClient, fid: Fid): Promise<ChunkRead> {
  try {
    const bytes = await volumes.read(fid);
    return bytes === undefined
      ? { kind: "damaged", reason: "no volume holds it" }
      : { kind: "read", bytes };
  } catch (error) {
    return { kind: "damaged", reason: damageOf(error) };
  }
}

/** A needle with all that it says of itself. */
export async function readStoredNeedle(
  volumes: Pick<NeedleStore, "readNeedle">,
  fid: Fid,
): Promise<NeedleRead> {
  try {
    const needle = await volumes.readNeedle(fid);
    return needle === undefined
      ? { kind: "absent" }
      : { kind: "read", bytes: encodeLooseNeedle(needle) };
  } catch (error) {
    const reason = damageOf(error);
    // Deleted with its volume.
    return reason === "no-such-volume" ? { kind: "absent" } : { kind: "damaged", reason };
  }
}

/** The live needles of a volume. What damage keeps back is told; a volume that is gone has none. */
export async function* scanStoredVolume(
  volumes: Pick<VolumeClient, "scan">,
  id: VolumeId,
): AsyncGenerator<ScannedNeedle | DamagedVolume> {
  try {
    yield* volumes.scan(id);
  } catch (error) {
    const reason = damageOf(error);
    if (reason !== "no-such-volume") yield { kind: "damaged-volume", reason };
  }
}

/** Throws the error again when it says nothing of the content. */
function damageOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code !== "string" || !DAMAGED_CODES.has(code)) throw error;
  return code;
}
