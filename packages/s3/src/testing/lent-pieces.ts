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
