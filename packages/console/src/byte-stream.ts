import type { ByteStream } from "@kelp/base";
import { ConsoleError } from "./errors.ts";

/** A web stream that asks `source` for the next piece only when the reader took the last; cancelling ends the source. */
export function readableStream(source: ByteStream): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await iterator.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Passes `source` through and throws `too-large` as soon as it is over `limitBytes`, so that nothing is committed. */
export async function* limitedStream(source: ByteStream, limitBytes: number): ByteStream {
  let sizeBytes = 0;
  for await (const piece of source) {
    sizeBytes += piece.length;
    if (sizeBytes > limitBytes) {
      throw new ConsoleError("too-large", `The body is over ${limitBytes} bytes`);
    }
    yield piece;
  }
}
