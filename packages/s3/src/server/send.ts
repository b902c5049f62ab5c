import { EMPTY_BYTES, assert, unreachable } from "@kelp/base";
import type { ResponseWriter } from "@kelp/base/http1";
import type { Reply, ReplyHeaders } from "../operations/operation.ts";
import { WHOLE_REPLY_BYTES_MAX } from "../limits.ts";

/** A reply whose first bytes are at hand: from here on only the connection can fail, or a later read. */
export type PrimedReply =
  | Exclude<Reply, { readonly kind: "stream" }>
  | {
      /** All bytes are at hand, lent by a stream until that is left. */
      readonly kind: "lent";
      readonly status: number;
      readonly headers: ReplyHeaders;
      readonly bytes: Uint8Array;
      readonly lender: AsyncIterator<Uint8Array>;
    }
  | {
      readonly kind: "primed";
      readonly status: number;
      readonly headers: ReplyHeaders;
      readonly sizeBytes: number;
      readonly first: Uint8Array;
      readonly rest: AsyncIterator<Uint8Array>;
    };

/** Reads the first piece of a stream, so that what is wrong with it can still be told by a status. */
export async function primeReply(
  reply: Extract<Reply, { readonly kind: "stream" }>,
): Promise<PrimedReply> {
  const { status, headers, sizeBytes } = reply;
  if (sizeBytes === 0) return { kind: "bytes", status, headers, bytes: EMPTY_BYTES };
  const rest = reply.stream[Symbol.asyncIterator]();
  const first = await nextPiece(rest);
  if (first.length < sizeBytes) {
    return sizeBytes <= WHOLE_REPLY_BYTES_MAX
      ? { kind: "bytes", status, headers, bytes: await joinRest(first, rest, sizeBytes) }
      : { kind: "primed", status, headers, sizeBytes, first, rest };
  }
  assert(first.length === sizeBytes, "a stream gives the bytes it announced");
  return { kind: "lent", status, headers, bytes: first, lender: rest };
}

/**
 * Writes a reply. Lent bytes are not let go before the system has taken them. Resolves when it has, or the client is gone; `undefined` when that is so
 * already. A stream that fails midway ends the connection: a short body under its Content-Length is how the client learns.
 */
export function sendReply(
  response: ResponseWriter,
  reply: PrimedReply,
  isHead: boolean,
): Promise<void> | undefined {
  const { status, headers } = reply;
  switch (reply.kind) {
    case "empty": {
      const announcedBytes = reply.announcedBytes ?? (isHead ? "unsaid" : 0);
      return response.send(status, headers, EMPTY_BYTES, { announcedBytes });
    }
    case "bytes":
      return response.send(status, headers, reply.bytes);
    case "lent":
      return sendLent(response, reply);
    case "primed":
      return sendStream(response, reply);
    default:
      return unreachable(reply);
  }
}

async function sendLent(
  response: ResponseWriter,
  reply: Extract<PrimedReply, { readonly kind: "lent" }>,
): Promise<void> {
  try {
    const sending = response.send(reply.status, reply.headers, reply.bytes);
    if (sending !== undefined) await sending;
  } finally {
    await reply.lender.return?.();
  }
}

async function sendStream(
  response: ResponseWriter,
  reply: Extract<PrimedReply, { readonly kind: "primed" }>,
): Promise<void> {
  let leftBytes = reply.sizeBytes;
  let piece = reply.first;
  try {
    response.begin(reply.status, reply.headers, { sizeBytes: leftBytes });
    for (;;) {
      assert(piece.length <= leftBytes, "a stream gives no more than it announced");
      leftBytes -= piece.length;
      const taking = response.write(piece);
      if (taking !== undefined) await taking;
      if (leftBytes === 0 || response.isClosed) break;
      piece = await nextPiece(reply.rest);
    }
    await response.end();
  } catch (error) {
    response.destroy();
    throw error;
  } finally {
    await reply.rest.return?.();
  }
}

async function joinRest(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  sizeBytes: number,
): Promise<Uint8Array> {
  const whole = Buffer.allocUnsafe(sizeBytes);
  whole.set(first);
  let filled = first.length;
  while (filled < sizeBytes) {
    const piece = await nextPiece(rest);
    assert(filled + piece.length <= sizeBytes, "a stream gives no more than it announced");
    whole.set(piece, filled);
    filled += piece.length;
  }
  await rest.return?.();
  return whole;
}

/** The next piece of a stream that owes one. An engine that ends early has broken its contract: a bug, told as one. */
async function nextPiece(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const next = await pieces.next();
  assert(next.done !== true, "a stream gives the bytes it announced");
  return next.value;
}
