/**
 * A stream of bytes with back-pressure: the source is asked for the next piece only when the last one was taken. Where a source
 * says that it lends its pieces, a piece may be overwritten as soon as the next one is asked for.
 */
export type ByteStream = AsyncIterable<Uint8Array>;

/** A body that is either whole in memory (small) or a stream of unknown or known length. */
export type Body = Uint8Array | ByteStream;

/** Reads a stream whole (of pieces that are not lent), refusing more than `limitBytes` (returns `undefined` then). For small documents only. */
export async function collectBytes(
  stream: ByteStream,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of stream) {
    sizeBytes += part.length;
    if (sizeBytes > limitBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export function isByteStream(body: Body): body is ByteStream {
  return !(body instanceof Uint8Array);
}
