import type { ServerResponse } from "node:http";
import { assert } from "../assert.ts";
import { EMPTY_BYTES } from "../bytes.ts";
import { SOCKET_WRITE_BYTES_MAX } from "./limits.ts";
import type { HttpReply } from "./reply.ts";
import type { HeldShare, StallWatch } from "./stall-watch.ts";

type BytesReply = Extract<HttpReply, { readonly kind: "bytes" }>;

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

interface SendOptions {
  readonly isHead: boolean;
  readonly stalls: StallWatch;
  readonly linger: (() => Promise<void>) | undefined;
}

/**
 * Writes a reply; resolves when its last byte is handed to the socket, or the client is gone; `undefined` when that is
 * so already. A stream that fails midway ends the connection: a short body under its Content-Length, or one without its
 * last chunk, is how the client learns. `linger` is awaited before the end of an answer after which the connection is cut.
 */
export function sendReply(
  outgoing: ServerResponse,
  primed: PrimedReply,
  options: SendOptions,
): Promise<void> | undefined {
  if (primed.kind !== "bytes") return sendStream(outgoing, primed, options);
  const { status, headers, body, onSent } = primed;
  const isSmall = onSent === undefined && body.length <= SOCKET_WRITE_BYTES_MAX;
  if (!isSmall || options.linger !== undefined) return sendBytes(outgoing, primed, options);
  const isBodiless = setLength(primed, options.isHead);
  outgoing.writeHead(status, headers);
  if (isBodiless) outgoing.end();
  else outgoing.end(body);
  return undefined;
}

async function sendStream(
  outgoing: ServerResponse,
  primed: Extract<PrimedReply, { readonly kind: "primed" }>,
  options: SendOptions,
): Promise<void> {
  const { reply } = primed;
  if (reply.kind === "stream") reply.headers["Content-Length"] = String(reply.sizeBytes);
  outgoing.writeHead(reply.status, reply.headers);
  if (options.isHead || primed.first.done === true) outgoing.end();
  else {
    const { first, rest } = primed;
    const { sizeBytes, share } =
      reply.kind === "stream" ? reply : { sizeBytes: undefined, share: undefined };
    await sendPieces(outgoing, { first, rest, sizeBytes }, { stalls: options.stalls, share });
  }
}

/** Says how long the body is, and returns whether there is none to be sent. */
function setLength({ status, headers, body }: BytesReply, isHead: boolean): boolean {
  // 204 and 304 have no length (RFC 9110 §8.6).
  if (status === 204 || status === 304) return true;
  const sizeBytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  headers["Content-Length"] = String(sizeBytes);
  return isHead || sizeBytes === 0;
}

async function sendBytes(
  outgoing: ServerResponse,
  reply: BytesReply,
  options: SendOptions,
): Promise<void> {
  const { status, headers, body, onSent } = reply;
  try {
    const isBodiless = setLength(reply, options.isHead);
    outgoing.writeHead(status, headers);
    const { linger } = options;
    // Somebody counts these bytes, or they are many: a client that takes none of them shall not hold them for ever.
    if (!isBodiless && (onSent !== undefined || body.length > SOCKET_WRITE_BYTES_MAX)) {
      const { stalls } = options;
      await sendPieces(outgoing, onePiece(body), { stalls, linger, share: reply.share });
      return;
    }
    if (linger === undefined) {
      if (isBodiless) outgoing.end();
      else outgoing.end(body);
      return;
    }
    if (!isBodiless) outgoing.write(body);
    await linger();
    outgoing.end();
  } finally {
    onSent?.();
  }
}

interface Pieces {
  readonly first: IteratorResult<Uint8Array | string>;
  readonly rest: AsyncIterator<Uint8Array | string>;
  /** Of all pieces together, where that is known. */
  readonly sizeBytes: number | undefined;
}

function onePiece(body: Uint8Array | string): Pieces {
  const value = typeof body === "string" ? Buffer.from(body) : body;
  const rest = { next: () => Promise.resolve({ done: true, value: undefined } as const) };
  return { first: { done: false, value }, rest, sizeBytes: value.length };
}

async function sendPieces(
  outgoing: ServerResponse,
  pieces: Pieces,
  options: {
    readonly stalls: StallWatch;
    readonly linger?: (() => Promise<void>) | undefined;
    readonly share: HeldShare | undefined;
  },
): Promise<void> {
  const { rest } = pieces;
  const gate = new DrainGate(outgoing);
  using transfer = options.stalls.watch(() => outgoing.destroy(), options.share);
  transfer.setWaiting("on-us");
  let leftBytes = pieces.sizeBytes;
  let next = pieces.first;
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
    await options.linger?.();
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
