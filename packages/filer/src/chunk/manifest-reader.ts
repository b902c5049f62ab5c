import { type ByteRange, type Chunk, formatFid } from "@kelp/wire";
import { decodeChunks } from "../entry/chunk-list.ts";
import { FilerError } from "../errors.ts";
import { MANIFEST_DEPTH_MAX } from "../limits.ts";

/** Reads the whole content of one chunk, checked. */
export type ReadChunk = (chunk: Chunk) => Promise<Uint8Array>;

/** The chunks that a manifest lists. Throws `FilerError`, such as `chunk-corrupt` and `chunk-missing`. */
export type ReadManifest = (manifest: Chunk) => Promise<readonly Chunk[]>;

/** A chunk of content and the bytes `[start, end)` of it that are wanted. */
export interface Slice {
  readonly chunk: Chunk;
  readonly start: number;
  readonly end: number;
}

/** The chunks that a manifest lists. Throws `chunk-corrupt` when it is no list of that size. */
export async function readManifest(
  readChunk: ReadChunk,
  manifest: Chunk,
): Promise<readonly Chunk[]> {
  const chunks = decodeChunks(await readChunk(manifest));
  if (chunks === undefined) throw malformed(manifest, "it is no list of chunks");
  const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
  if (sizeBytes !== manifest.sizeBytes) {
    throw malformed(manifest, `it lists ${sizeBytes} bytes, expected ${manifest.sizeBytes}`);
  }
  return chunks;
}

/** The parts of content that a range needs, in order. Manifests are read as they are reached, and only those that the range touches. */
export async function* slicesOf(
  readChunk: ReadChunk,
  chunks: readonly Chunk[],
  { start: rangeStart, end: rangeEnd }: ByteRange,
  depth = 0,
): AsyncGenerator<Slice> {
  let offset = 0;
  for (const chunk of chunks) {
    const start = Math.max(rangeStart - offset, 0);
    const end = Math.min(rangeEnd - offset, chunk.sizeBytes);
    offset += chunk.sizeBytes;
    if (start < end) {
      if (chunk.isManifest !== true) yield { chunk, start, end };
      else if (depth >= MANIFEST_DEPTH_MAX) throw malformed(chunk, "manifests are nested too deep");
      else
        yield* slicesOf(readChunk, await readManifest(readChunk, chunk), { start, end }, depth + 1);
    }
    if (offset >= rangeEnd) return;
  }
}

function malformed(chunk: Chunk, finding: string): FilerError {
  return new FilerError(
    "chunk-corrupt",
    `Cannot read manifest ${formatFid(chunk.fid)}: ${finding}`,
  );
}
