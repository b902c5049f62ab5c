import { assert } from "@kelp/base";
import { CHUNK_SIZE_BYTES, type Chunk } from "@kelp/wire";
import { encodeChunks } from "../entry/chunk-list.ts";
import type { AppendSession } from "./append-session.ts";

/** How long lists of chunks may be. */
export interface ListLimits {
  /** Records of a list that stands in the metadata store. */
  readonly recordsMax: number;
  /** Records of a manifest. */
  readonly manifestRecordsMax: number;
}

export interface FoldedList {
  /** The list to keep: of `recordsMax` records at most. */
  readonly chunks: readonly Chunk[];
  /** Every manifest that was stored for it, those among `chunks` and those below them. */
  readonly manifests: readonly Chunk[];
}

/**
 * Stores long lists as manifests, and lists of manifests likewise, until what is left is short. The manifests are durable when
 * resolved; they belong to the session, like the chunks of a body.
 */
export async function foldChunks(
  session: AppendSession,
  chunks: readonly Chunk[],
  limits: ListLimits,
): Promise<FoldedList> {
  assert(limits.manifestRecordsMax > 1, "each fold shortens the list");
  const manifests: Chunk[] = [];
  let list = chunks;
  while (list.length > limits.recordsMax) {
    const shorter: Chunk[] = [];
    for (const group of groupsOf(list, limits.manifestRecordsMax)) {
      const stored = await session.storeAside(encodeChunks(group));
      const sizeBytes = group.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
      shorter.push({ ...stored, sizeBytes, isManifest: true });
    }
    manifests.push(...shorter);
    list = shorter;
  }
  return { chunks: list, manifests };
}

/** Runs of records that fit one needle. */
function* groupsOf(chunks: readonly Chunk[], recordsMax: number): Generator<readonly Chunk[]> {
  for (let start = 0; start < chunks.length;) {
    let end = Math.min(start + recordsMax, chunks.length);
    // Records with keys are long: halving finds a run that fits without encoding record by record.
    while (end - start > 1 && encodeChunks(chunks.slice(start, end)).length > CHUNK_SIZE_BYTES) {
      end = start + Math.ceil((end - start) / 2);
    }
    yield chunks.slice(start, end);
    start = end;
  }
}
