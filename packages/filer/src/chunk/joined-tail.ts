import { CHUNK_SIZE_BYTES, type Chunk } from "@kelp/wire";
import { JOINED_CHUNKS_MIN, JOINED_WHOLE_MIN, SMALLEST_CHUNK_BYTES_MAX } from "../limits.ts";

/**
 * How many chunks at the end of a list are to be joined to one; 0 for none. Sizes fall into classes, each
 * `JOINED_CHUNKS_MIN` times the one before: joining makes a chunk of the next class, so that a byte is moved once for
 * each class, however many small pieces a file grows by.
 */
export function joinedTail(chunks: readonly Chunk[]): number {
  const last = chunks.at(-1);
  if (last === undefined || last.isManifest === true) return 0;
  const boundBytes = classBoundBytes(last.sizeBytes);
  let count = 0;
  let sizeBytes = 0;
  let isFull = false;
  for (let at = chunks.length - 1; at >= 0; at--) {
    const chunk = chunks[at];
    if (chunk === undefined || chunk.isManifest === true || chunk.sizeBytes > boundBytes) break;
    isFull = sizeBytes + chunk.sizeBytes > CHUNK_SIZE_BYTES;
    if (isFull) break;
    sizeBytes += chunk.sizeBytes;
    count++;
  }
  // What makes a whole chunk is joined for the last time, and pays with fewer.
  return count >= (isFull ? JOINED_WHOLE_MIN : JOINED_CHUNKS_MIN) ? count : 0;
}

/** The largest size of the class that a size falls into. */
function classBoundBytes(sizeBytes: number): number {
  let boundBytes = SMALLEST_CHUNK_BYTES_MAX;
  while (boundBytes < sizeBytes) boundBytes *= JOINED_CHUNKS_MIN;
  return boundBytes;
}
