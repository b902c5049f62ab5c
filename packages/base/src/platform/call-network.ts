import { rmSync } from "node:fs";
import { type Socket, connect as connectSocket, listen as listenSocket } from "bun";
import { assert } from "../assert.ts";
import {
  CallError,
  type CallHandlers,
  type CallListener,
  type CallNetwork,
  type CallPeer,
} from "../calls.ts";
import { PlainReader } from "../plain/plain-reader.ts";
import { PlainWriter } from "../plain/plain-writer.ts";

/**
 * Frames on a stream socket: size of the rest (4 bytes, little-endian), then messages as plain data (`plain/tags.ts`), each of
 * them kind, number, and what the kind has. All messages of one turn go in one frame.
 */
const FRAME_HEADER_BYTES = 4;
/** Far above the largest call, a chunk: what is larger is no frame. */
const FRAME_BYTES_MAX = 512 * 1024 * 1024;
/** A frame that is larger is not held back for more messages of its turn. */
const FRAME_BYTES_WANTED = 1024 * 1024;
/** Calls of one side waiting for their answers; more are refused. */
const CALLS_WAITING_MAX = 65_536;
/** Bytes that wait to be taken by the socket; above it calls are refused. */
const UNSENT_BYTES_MAX = 256 * 1024 * 1024;

/** Followed by name and argument; by the value; by code and text of the error. */
const KIND = { call: 0, done: 1, failed: 2 } as const;

/** Unix sockets: reachable for those who may enter the folder of the address, and for nobody else. */
export const systemCallNetwork: CallNetwork = {
  async listen(address, accept) {
    rmSync(address, { force: true });
    const peers = new Set<SocketPeer>();
    const listener = listenSocket<SocketPeer>({
      unix: address,
      socket: {
        ...SOCKET_EVENTS,
        open(socket) {
          const peer = new SocketPeer(socket);
          socket.data = peer;
          peers.add(peer);
          peer.closed.then(
            () => void peers.delete(peer),
            () => undefined,
          );
          peer.serve(accept(peer));
        },
      },
    });
    return {
      address,
      async [Symbol.asyncDispose]() {
        listener.stop();
        await Promise.all(Array.from(peers, (peer) => peer[Symbol.asyncDispose]()));
        rmSync(address, { force: true });
      },
    } satisfies CallListener;
  },
  async connect(address, handlers) {
    const socket = await connectSocket<SocketPeer>({
      unix: address,
      socket: {
        ...SOCKET_EVENTS,
        open(opened) {
          const peer = new SocketPeer(opened);
          opened.data = peer;
          peer.serve(handlers);
        },
      },
    });
    return socket.data;
  },
};

/** What the runtime tells of a socket goes to its peer. */
const SOCKET_EVENTS = {
  data: (socket: Socket<SocketPeer>, data: Buffer) => socket.data.take(data),
  drain: (socket: Socket<SocketPeer>) => socket.data.drain(),
  // What went wrong is the connection, and its close says so.
  error: (socket: Socket<SocketPeer>) => socket.terminate(),
  end: (socket: Socket<SocketPeer>) => socket.terminate(),
  close: (socket: Socket<SocketPeer>) => socket.data.end(),
};

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CallError) => void;
}

class SocketPeer implements CallPeer {
  readonly closed: Promise<void>;
  readonly #closing = Promise.withResolvers<void>();
  readonly #socket: Socket<SocketPeer>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #frames = new FrameReader();
  readonly #reader = new PlainReader();
  readonly #writer = new PlainWriter();
  /** Frames that the socket has not taken yet, each its own bytes. */
  readonly #unsent: Buffer[] = [];
  #unsentBytes = 0;
  #handlers: CallHandlers = {};
  #nextNumber = 1;
  #isScheduled = false;
  #isEnding = false;
  #isGone = false;

  constructor(socket: Socket<SocketPeer>) {
    this.#socket = socket;
    this.closed = this.#closing.promise;
    this.#writer.leave(FRAME_HEADER_BYTES);
  }

  serve(handlers: CallHandlers): void {
    this.#handlers = handlers;
  }

  call(name: string, argument: unknown): Promise<unknown> {
    if (this.#isGone) return Promise.reject(gone(name));
    const unsentBytes = this.#unsentBytes + this.#writer.sizeBytes;
    if (this.#waiting.size >= CALLS_WAITING_MAX || unsentBytes > UNSENT_BYTES_MAX) {
      return Promise.reject(new CallError("overloaded", `Cannot call ${name}: too much waits`));
    }
    const number = this.#nextNumber++;
    return new Promise((resolve, reject) => {
      this.#writer.write(KIND.call, number, name, argument);
      this.#waiting.set(number, { resolve, reject });
      this.#schedule();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isGone) this.#flush();
    this.#isEnding = true;
    if (this.#unsent.length === 0) this.#socket.end();
    await this.closed;
  }

  /** Of the socket: bytes came. */
  take(data: Buffer): void {
    try {
      for (const frame of this.#frames.take(data)) this.#receive(frame);
    } catch (error) {
      // Both sides are one program: this is a bug, and must not end as a broken connection alone.
      setImmediate(() => {
        throw error;
      });
      this.#socket.terminate();
    }
  }

  /** Of the socket: it takes more. */
  drain(): void {
    for (let [first] = this.#unsent; first !== undefined; [first] = this.#unsent) {
      const count = Math.max(0, this.#socket.write(first));
      this.#unsentBytes -= count;
      if (count < first.length) {
        this.#unsent[0] = first.subarray(count);
        return;
      }
      this.#unsent.shift();
    }
    if (this.#isEnding) this.#socket.end();
  }

  /** Of the socket: it is closed. */
  end(): void {
    this.#isGone = true;
    this.#unsent.length = 0;
    for (const { reject } of this.#waiting.values()) reject(gone("the other process"));
    this.#waiting.clear();
    this.#closing.resolve();
  }

  /** Later in this turn, so that what belongs together travels together. */
  #schedule(): void {
    if (this.#writer.sizeBytes >= FRAME_BYTES_WANTED) this.#flush();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isGone || this.#writer.sizeBytes === FRAME_HEADER_BYTES) return;
    const frame = this.#writer.borrow();
    frame.writeUInt32LE(frame.length - FRAME_HEADER_BYTES, 0);
    // In their order: nothing overtakes what waits.
    const count = this.#unsent.length > 0 ? 0 : Math.max(0, this.#socket.write(frame));
    if (count < frame.length) {
      this.#unsent.push(Buffer.from(frame.subarray(count)));
      this.#unsentBytes += frame.length - count;
    }
    this.#writer.leave(FRAME_HEADER_BYTES);
  }

  #receive(frame: Buffer): void {
    const reader = this.#reader;
    reader.begin(frame);
    while (reader.hasMore) {
      const kind = reader.read();
      const number = reader.read() as number;
      if (kind === KIND.call) this.#answer(number, reader.read() as string, reader.read());
      else this.#answered(kind as number, number);
    }
  }

  #answered(kind: number, number: number): void {
    const waiting = this.#waiting.get(number);
    assert(waiting !== undefined, "an answer belongs to a call");
    this.#waiting.delete(number);
    if (kind === KIND.done) waiting.resolve(this.#reader.read());
    else
      waiting.reject(new CallError(this.#reader.read() as string, this.#reader.read() as string));
  }

  #answer(number: number, name: string, argument: unknown): void {
    const handler = Object.hasOwn(this.#handlers, name) ? this.#handlers[name] : undefined;
    if (handler === undefined) {
      this.#fail(number, "no-such-call", `Cannot call ${name}: it is not known here`);
      return;
    }
    // In the turn of its arrival, so that calls begin in their order.
    let value: unknown;
    try {
      value = handler(argument);
    } catch (error) {
      this.#fail(number, codeOf(error), textOf(error));
      return;
    }
    if (value instanceof Promise) {
      value.then(
        (settled: unknown) => this.#done(number, settled),
        (error: unknown) => this.#fail(number, codeOf(error), textOf(error)),
      );
    } else this.#done(number, value);
  }

  /** Also what cannot be sent is an answer that failed. */
  #done(number: number, value: unknown): void {
    try {
      this.#send(KIND.done, number, value);
    } catch (error) {
      this.#fail(number, codeOf(error), textOf(error));
    }
  }

  #fail(number: number, code: string, text: string): void {
    this.#send(KIND.failed, number, code, text);
  }

  #send(...message: readonly unknown[]): void {
    if (this.#isGone) return;
    this.#writer.write(...message);
    this.#schedule();
  }
}

/** Cuts the stream into frames; holds at most one unfinished frame. */
class FrameReader {
  #pieces: Buffer[] = [];
  #bytes = 0;

  *take(data: Buffer): Generator<Buffer> {
    this.#pieces.push(data);
    this.#bytes += data.length;
    while (this.#bytes >= FRAME_HEADER_BYTES) {
      const joined = this.#joined();
      const bodyBytes = joined.readUInt32LE(0);
      assert(bodyBytes <= FRAME_BYTES_MAX, "a frame has a size within its bound");
      const end = FRAME_HEADER_BYTES + bodyBytes;
      if (this.#bytes < end) return;
      const rest = joined.subarray(end);
      this.#pieces = rest.length === 0 ? [] : [rest];
      this.#bytes = rest.length;
      yield joined.subarray(FRAME_HEADER_BYTES, end);
    }
  }

  /** Joins only when the size of the frame, or all of it, is there. */
  #joined(): Buffer {
    const [first] = this.#pieces;
    assert(first !== undefined, "there is something to join");
    if (this.#pieces.length === 1) return first;
    if (first.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + first.readUInt32LE(0);
      if (this.#bytes < end) return first;
    }
    const joined = Buffer.concat(this.#pieces);
    this.#pieces = [joined];
    return joined;
  }
}

function gone(name: string): CallError {
  return new CallError("peer-gone", `Cannot call ${name}: the connection has ended`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "failed";
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : "it failed";
}
