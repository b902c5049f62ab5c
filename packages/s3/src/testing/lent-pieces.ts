import type { ByteStream } from "@kelp/base";

const SPOILED = 0xdd;

/** The same bytes in memory that is spoiled as soon as its piece is over: who looks at it later is found out. */
export async function* lentPieces(source: ByteStream, onLeft?: () => void): ByteStream {
  let memory = new Uint8Array(0);
  try {
    for await (const piece of source) {
      memory = new Uint8Array(piece);
      yield memory;
      memory.fill(SPOILED);
    }
  } finally {
    memory.fill(SPOILED);
    onLeft?.();
  }
}

/** The same bytes in memory of their own, for those who keep pieces of a lent stream. */
export async function* keptPieces(source: ByteStream): ByteStream {
  for await (const piece of source) yield new Uint8Array(piece);
}
