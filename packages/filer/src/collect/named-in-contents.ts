import { type Chunk, type Fid, formatFid } from "@kelp/wire";
import type { ReadManifest } from "../chunk/manifest-reader.ts";
import { errorCodes } from "../errors.ts";
import type { References } from "../store/filer-store.ts";

/** About what a row takes beside its chunks and inline bytes. */
const ROW_BYTES = 100;
const CHUNK_BYTES = 20;

export interface NamedSearch {
  readonly store: Pick<References, "scanContents">;
  readonly readManifest: ReadManifest;
  readonly pace?: ((readBytes: number) => Promise<void> | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Which of these needles a list of chunks names, found by reading the lists of all entries and parts, as `formatFid` spells them.
 * References say the same at once, but a row of theirs bears no checksum: with a flipped bit it speaks for another needle, and
 * nothing would speak for this one. Lists that are damaged themselves are passed over: their references are what is left.
 */
export async function namedInContents(
  fids: readonly Fid[],
  search: NamedSearch,
): Promise<ReadonlySet<string>> {
  const wanted = new Set(fids.map((fid) => formatFid(fid)));
  const named = new Set<string>();
  const look = async (chunks: readonly Chunk[]): Promise<void> => {
    for (const chunk of chunks) {
      const name = formatFid(chunk.fid);
      if (wanted.has(name)) named.add(name);
      if (chunk.isManifest === true) await look(await listedBy(chunk, search));
    }
  };
  for (const { chunks, inlineBytes = 0 } of search.store.scanContents()) {
    search.signal?.throwIfAborted();
    await look(chunks);
    await search.pace?.(ROW_BYTES + inlineBytes + chunks.length * CHUNK_BYTES);
  }
  return named;
}

async function listedBy(manifest: Chunk, search: NamedSearch): Promise<readonly Chunk[]> {
  search.signal?.throwIfAborted();
  try {
    const listed = await search.readManifest(manifest);
    await search.pace?.(listed.length * CHUNK_BYTES);
    return listed;
  } catch (error) {
    const codes = errorCodes(error);
    if (codes.includes("chunk-missing") || codes.includes("chunk-corrupt")) return [];
    throw error;
  }
}
