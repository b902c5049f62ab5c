import { SEAL_OVERHEAD_BYTES } from "@kelp/base";
import type { Chunk } from "@kelp/wire";

/** What the volumes hold of a chunk, in bytes. */
export function storedBytesOf(chunk: Chunk): number {
  return chunk.sizeBytes + (chunk.sealedKey === undefined ? 0 : SEAL_OVERHEAD_BYTES);
}
