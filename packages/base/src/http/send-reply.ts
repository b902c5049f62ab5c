import type { ResponseWriter } from "../http1/index.ts";
import type { HttpReply } from "./reply.ts";

type BytesReply = Extract<HttpReply, { readonly kind: "bytes" }>;

/** A reply whose first bytes are at hand: from here on only the connection can fail, or a later read. */
export type PrimedReply =
  | Exclude<HttpReply, { readonly kind: "stream" | "text-stream" }>
  | {
      readonly kind: "primed";
      readonly reply: Exclude<HttpReply, BytesReply>;
      readonly first: IteratorResult<Uint8Array | string>;
      readonly rest: AsyncIterator<Uint8Array | string>;
    };

/** Reads the first piece of a stream, so that what is wrong with it can still be told by a status. */
export async function primeReply(
  reply: Exclude<HttpReply, BytesReply>,
  isHead: boolean,
): Promise<PrimedReply> {
  const source: AsyncIterable<Uint8Array | string> =
    reply.kind === "stream" ? reply.stream : reply.pieces;
  const rest = source[Symbol.asyncIterator]();
  // Whoever asks for the head alone makes nobody read the body.
  if (isHead || (reply.kind === "stream" && reply.sizeBytes === 0)) {
    await rest.return?.();
    return { kind: "primed", reply, first: { done: true, value: undefined }, rest };
  }
  return { kind: "primed", reply, first: await rest.next(), rest };
}

/**
 * Writes a reply; resolves when its last byte is handed to the system, or the client is gone; `undefined` when that is
 * so already. A stream that fails midway ends the connection: a short body under its Content-Length, or one without its
 * last chunk, is how the client learns.
 */
export function sendReply(
  response: ResponseWriter,
  primed: PrimedReply,
): Promise<void> | undefined {
  if (primed.kind !== "bytes") return sendStream(response, primed);
  const { status, headers, body, onSent, share } = primed;
  const sending = response.send(status, headers, body, { share });
  if (onSent === undefined) return sending;
  if (sending === undefined) onSent();
  return sending?.finally(onSent);
}

async function sendStream(
  response: ResponseWriter,
  primed: Extract<PrimedReply, { readonly kind: "primed" }>,
): Promise<void> {
  const { reply, rest } = primed;
  const known = reply.kind === "stream" ? reply : { sizeBytes: undefined, share: undefined };
  let next = primed.first;
  try {
    response.begin(reply.status, reply.headers, known);
    while (next.done !== true && !response.isClosed) {
      const { value } = next;
      const waiting = response.write(typeof value === "string" ? Buffer.from(value) : value);
      if (waiting !== undefined) await waiting;
      if (!response.isClosed) next = await rest.next();
    }
    await response.end();
  } catch (error) {
    response.destroy();
    throw error;
  } finally {
    await rest.return?.();
  }
}
