import type { ChunkRead } from "@kelp/filer";
import type { Fid, VolumeClient } from "@kelp/wire";

/** Codes of volumes that say of the chunk, or of the disk under it, rather than of the moment, that it is not to be had. */
const DAMAGED_CODES = new Set([
  "needle-corrupt",
  "cookie-mismatch",
  "no-such-volume",
  "volume-failed",
  "read-failed",
]);

/** A chunk as it is stored. What damage keeps back is told; what else fails is thrown. */
export async function readStoredChunk(volumes: VolumeClient, fid: Fid): Promise<ChunkRead> {
  try {
    const bytes = await volumes.read(fid);
    return bytes === undefined
      ? { kind: "damaged", reason: "no volume holds it" }
      : { kind: "read", bytes };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (typeof code !== "string" || !DAMAGED_CODES.has(code)) throw error;
    return { kind: "damaged", reason: code };
  }
}
