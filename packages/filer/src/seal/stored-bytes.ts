import { SEAL_OVERHEAD_BYTES } from "@kelp/base";
import type { Chunk } from "@kelp/wire";

/** What the volumes hold of a chunk, in bytes. */
export function storedBytesOf(chunk: Chunk): number {
  return chunk.sizeBytes + (chunk.sealedKey === undefined ? 0 : SEAL_OVERHEAD_BYTES);
}

/** How much longer a sealed value is: version, number of the ring key, salt, then what sealing adds. */
export const SEALED_VALUE_OVERHEAD_BYTES = 1 + 4 + 16 + SEAL_OVERHEAD_BYTES;

/** How much content stands in an entry of that size that holds `storedBytes`: sealed content is longer than the entry says. */
export function inlineBytesOf(storedBytes: number, sizeBytes: number): number {
  return storedBytes === sizeBytes + SEALED_VALUE_OVERHEAD_BYTES ? sizeBytes : storedBytes;
}
