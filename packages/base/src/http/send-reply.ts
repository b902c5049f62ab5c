import type { ServerResponse } from "node:http";
import { assert } from "../assert.ts";
import { EMPTY_BYTES } from "../bytes.ts";
import { SOCKET_WRITE_BYTES_MAX } from "./limits.ts";
import type { HttpReply } from "./reply.ts";
import type { StallWatch } from "./stall-watch.ts";

/** A reply whose first bytes are at hand: from here on only the connection can fail, or a later read. */
export type PrimedReply =
  | Exclude<HttpReply, { readonly kind: "stream" | "text-stream" }>
  | {
      readonly kind: "primed";
      readonly reply: Exclude<HttpReply, { readonly kind: "bytes" }>;
      readonly first: IteratorResult<Uint8Array | string>;
      readonly rest: AsyncIterator<Uint8Array | string>;
    };

/** Reads the first piece of a stream, so that what is wrong with it can still be told by a status. */
export async function primeReply(reply: HttpReply, isHead: boolean): Promise<PrimedReply> {
  if (reply.kind === "bytes") return reply;
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
 * Writes a reply; resolves when its last byte is handed to the socket, or the client is gone. A stream that fails
 * midway ends the connection: a short body under its Content-Length, or one without its last chunk, is how the client
 * learns. `linger` is awaited before the end of an answer after which the connection is cut.
 */
export async function sendReply(
  outgoing: ServerResponse,
  primed: PrimedReply,
  options: {
    readonly isHead: boolean;
    readonly stalls: StallWatch;
    readonly linger: (() => Promise<void>) | undefined;
  },
): Promise<void> {
  if (primed.kind === "bytes") {
    await sendBytes(outgoing, primed, options);
    return;
  }
  const { reply } = primed;
  if (reply.kind === "stream") reply.headers["Content-Length"] = String(reply.sizeBytes);
  outgoing.writeHead(reply.status, reply.headers);
  if (options.isHead || primed.first.done === true) outgoing.end();
  else await sendPieces(outgoing, primed, options.stalls);
}

async function sendBytes(
  outgoing: ServerResponse,
  reply: Extract<HttpReply, { readonly kind: "bytes" }>,
  options: { readonly isHead: boolean; readonly linger: (() => Promise<void>) | undefined },
): Promise<void> {
  const { status, headers, body, onSent } = reply;
  // 204 and 304 have no length (RFC 9110 §8.6).
  if (status !== 204 && status !== 304) {
    const sizeBytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    headers["Content-Length"] = String(sizeBytes);
  }
  if (onSent !== undefined) outgoing.once("close", onSent).once("finish", onSent);
  outgoing.writeHead(status, headers);
  const isBodiless = options.isHead || status === 204 || status === 304 || body.length === 0;
  if (options.linger === undefined) {
    if (isBodiless) outgoing.end();
    else outgoing.end(body);
    return;
  }
  if (!isBodiless) outgoing.write(body);
  await options.linger();
  outgoing.end();
}

async function sendPieces(
  outgoing: ServerResponse,
  primed: Extract<PrimedReply, { readonly kind: "primed" }>,
  stalls: StallWatch,
): Promise<void> {
  const { reply, rest } = primed;
  const gate = new DrainGate(outgoing);
  using transfer = stalls.watch(() => outgoing.destroy());
  transfer.setWaiting("on-us");
  let leftBytes = reply.kind === "stream" ? reply.sizeBytes : undefined;
  let next = primed.first;
  try {
    while (!gate.isClosed && next.done !== true) {
      const piece = typeof next.value === "string" ? Buffer.from(next.value) : next.value;
      if (leftBytes !== undefined) {
        assert(piece.length <= leftBytes, "a stream gives no more than it announced");
        leftBytes -= piece.length;
      }
      for (let at = 0; at < piece.length && !gate.isClosed; at += SOCKET_WRITE_BYTES_MAX) {
        const slice = piece.subarray(at, at + SOCKET_WRITE_BYTES_MAX);
        transfer.moved(slice.length);
        if (outgoing.write(slice)) continue;
        transfer.setWaiting("on-client");
        await gate.opened();
        transfer.setWaiting("on-us");
      }
      if (!gate.isClosed) next = await rest.next();
    }
    if (gate.isClosed) return;
    assert((leftBytes ?? 0) === 0, "a stream gives the bytes it announced");
    outgoing.end(EMPTY_BYTES);
  } catch (error) {
    outgoing.destroy();
    throw error;
  } finally {
    await rest.return?.();
  }
}

/** One pair of listeners for the whole of a response, however many writes wait. */
class DrainGate {
  #wake: (() => void) | undefined;
  isClosed = false;

  constructor(outgoing: ServerResponse) {
    this.isClosed = outgoing.destroyed;
    outgoing.on("drain", () => this.#wakeUp());
    outgoing.on("close", () => {
      this.isClosed = true;
      this.#wakeUp();
    });
  }

  /** Resolves when more can be written, or nothing ever again. */
  opened(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    return new Promise((wake) => {
      this.#wake = wake;
    });
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
