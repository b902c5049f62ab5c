import type { ByteStream } from "@kelp/base";

/** A stream as the body of an answer: pulled piece by piece. `onCancel` runs when the reader goes away early. */
export function toReadableStream(
  source: ByteStream,
  onCancel: () => void,
): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await iterator.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        onCancel();
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
