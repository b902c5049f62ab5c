import type { StallWatch } from "@kelp/base/http";
import type { ServerResponse } from "node:http";
import { EMPTY_BYTES, assert, unreachable } from "@kelp/base";
import type { Reply, ReplyHeaders } from "../operations/operation.ts";
import { WHOLE_REPLY_BYTES_MAX } from "../limits.ts";
import { waitingWrites } from "./waiting-writes.ts";

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
export async function primeReply(reply: Reply): Promise<PrimedReply> {
  if (reply.kind !== "stream") return reply;
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
 * Writes a reply. What a write does not hand to the system at once it copies, so that lent bytes may be overwritten as
 * soon as it returns. Resolves when its last byte is handed to the socket, or the client is gone.
 * A stream that fails midway ends the connection: a short body under its Content-Length is how the client learns.
 */
export async function sendReply(
  outgoing: ServerResponse,
  reply: PrimedReply,
  options: {
    readonly isHead: boolean;
    readonly stalls: StallWatch;
    /** Awaited between the last byte and the end of the answer, which is when a closing connection is cut. */
    readonly linger: (() => Promise<void>) | undefined;
  },
): Promise<void> {
  const { headers } = reply;
  switch (reply.kind) {
    case "empty": {
      const announced = reply.announcedBytes ?? (options.isHead ? undefined : 0);
      // 204 and 304 have no length (RFC 9110 §8.6).
      if (announced !== undefined && reply.status !== 204 && reply.status !== 304) {
        headers["Content-Length"] = String(announced);
      }
      outgoing.writeHead(reply.status, headers);
      outgoing.end();
      return;
    }
    case "bytes": {
      const bytes = typeof reply.bytes === "string" ? Buffer.from(reply.bytes) : reply.bytes;
      headers["Content-Length"] = String(bytes.length);
      outgoing.writeHead(reply.status, headers);
      if (options.linger === undefined) {
        outgoing.end(options.isHead ? undefined : bytes);
        return;
      }
      if (!options.isHead) outgoing.write(bytes);
      await options.linger();
      outgoing.end();
      return;
    }
    case "lent":
      try {
        await sendReply(outgoing, { ...reply, kind: "bytes" }, options);
      } finally {
        await reply.lender.return?.();
      }
      return;
    case "primed":
      headers["Content-Length"] = String(reply.sizeBytes);
      outgoing.writeHead(reply.status, headers);
      await sendStream(outgoing, reply, options.stalls);
      return;
    default:
      unreachable(reply);
  }
}

async function sendStream(
  outgoing: ServerResponse,
  reply: Extract<PrimedReply, { readonly kind: "primed" }>,
  stalls: StallWatch,
): Promise<void> {
  const gate = new DrainGate(outgoing);
  using transfer = stalls.watch(() => outgoing.destroy());
  let leftBytes = reply.sizeBytes;
  let piece = reply.first;
  try {
    while (!gate.isClosed) {
      assert(piece.length <= leftBytes, "a stream gives no more than it announced");
      for (let at = 0; at < piece.length && !gate.isClosed;) {
        const slice = piece.subarray(at, at + waitingWrites.writeBytes);
        at += slice.length;
        leftBytes -= slice.length;
        transfer.moved(slice.length);
        if (leftBytes === 0) {
          outgoing.end(slice);
          return;
        }
        if (outgoing.write(slice)) continue;
        transfer.setWaiting("on-client");
        waitingWrites.began();
        await gate.opened();
        waitingWrites.ended();
        transfer.setWaiting("on-us");
      }
      if (!gate.isClosed) piece = await nextPiece(reply.rest);
    }
  } catch (error) {
    outgoing.destroy();
    throw error;
  } finally {
    await reply.rest.return?.();
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
