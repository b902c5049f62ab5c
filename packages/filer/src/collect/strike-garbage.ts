import { namedChunks } from "../check/listed-chunks.ts";
import type { ReadManifest } from "../chunk/manifest-reader.ts";
import type { References } from "../store/filer-store.ts";
import type { UnknownNeedles } from "./unknown-needles.ts";

/** Records read in one turn, about; a row is read whole. */
const CHUNKS_AT_ONCE = 4096;
const ROWS_AT_ONCE_MAX = 1000;
/** About what a record takes. */
const CHUNK_BYTES = 20;

export interface GarbageReading {
  readonly store: Pick<References, "listGarbage">;
  readonly readManifest: ReadManifest;
  /** Told of the bytes that were read in a turn: who awaits it sets the pace. */
  readonly pace?: ((readBytes: number) => Promise<void> | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Strikes off what waits to be freed, and what manifests among it list: one pass through all garbage, a bounded number of rows in memory. A
 * chunk that was garbage when this began is met, or gone from its volume: rows go only after their needles.
 */
export async function strikeGarbage(
  needles: UnknownNeedles,
  { store, readManifest, pace, signal }: GarbageReading,
): Promise<void> {
  if (needles.isEmpty) return;
  let afterId = 0;
  let limit = 1;
  for (;;) {
    signal?.throwIfAborted();
    const rows = store.listGarbage({ freedMsMax: Number.MAX_SAFE_INTEGER, afterId, limit });
    let chunkCount = 0;
    for (const { id, chunks } of rows) {
      afterId = id;
      chunkCount += chunks.length;
      for (const chunk of chunks) {
        needles.strike(chunk.fid);
        if (chunk.isManifest !== true) continue;
        // One that is gone was the last of its list to go; what one lists that cannot be read nobody knows.
        for await (const { fid } of namedChunks({ readManifest }, [chunk])) needles.strike(fid);
      }
    }
    if (rows.length < limit) return;
    await pace?.(chunkCount * CHUNK_BYTES);
    // A pace that is behind its rate holds nothing up, and requests have to come through all the same.
    await new Promise<void>((resolve) => setImmediate(resolve));
    limit = Math.ceil((limit * CHUNKS_AT_ONCE) / Math.max(1, chunkCount));
    limit = Math.min(limit, ROWS_AT_ONCE_MAX);
  }
}
