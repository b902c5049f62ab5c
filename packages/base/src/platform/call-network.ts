import { type Socket, createServer, connect as connectSocket } from "node:net";
import { rmSync } from "node:fs";
import { deserialize, serialize } from "node:v8";
import { assert } from "../assert.ts";
import {
  CallError,
  type CallHandlers,
  type CallListener,
  type CallNetwork,
  type CallPeer,
} from "../calls.ts";

/**
 * Frames on a stream socket: size of the rest (4 bytes, little-endian), then an array of messages in the runtime's own
 * serialisation, which both ends share, being one program. All messages of one turn go in one frame.
 */
const FRAME_HEADER_BYTES = 4;
/** Far above the largest call, a chunk: what is larger is no frame. */
const FRAME_BYTES_MAX = 512 * 1024 * 1024;
/** Calls of one side waiting for their answers; more are refused. */
const CALLS_WAITING_MAX = 65_536;
/** Bytes handed to the socket and not yet taken by it; above it calls are refused. */
const UNSENT_BYTES_MAX = 256 * 1024 * 1024;

type Message =
  | readonly [kind: "call", number: number, name: string, argument: unknown]
  | readonly [kind: "done", number: number, value: unknown]
  | readonly [kind: "failed", number: number, code: string, text: string];

/** Unix sockets: reachable for those who may enter the folder of the address, and for nobody else. */
export const systemCallNetwork: CallNetwork = {
  async listen(address, accept) {
    rmSync(address, { force: true });
    const peers = new Set<SocketPeer>();
    const server = createServer((socket) => {
      const peer = new SocketPeer(socket);
      peers.add(peer);
      peer.closed.then(
        () => void peers.delete(peer),
        () => undefined,
      );
      peer.serve(accept(peer));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(address, resolve);
    });
    return {
      address,
      async [Symbol.asyncDispose]() {
        server.close();
        await Promise.all(Array.from(peers, (peer) => peer[Symbol.asyncDispose]()));
        rmSync(address, { force: true });
      },
    } satisfies CallListener;
  },
  async connect(address, handlers) {
    const socket = connectSocket(address);
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve();
      });
    });
    const peer = new SocketPeer(socket);
    peer.serve(handlers);
    return peer;
  },
};

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CallError) => void;
}

class SocketPeer implements CallPeer {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #frames = new FrameReader();
  #handlers: CallHandlers = {};
  #unsent: Message[] = [];
  #nextNumber = 1;
  #isGone = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#end();
        resolve();
      });
    });
    // What went wrong is the connection, and its close says so.
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.destroy());
  }

  serve(handlers: CallHandlers): void {
    this.#handlers = handlers;
    this.#socket.on("data", (data: Buffer) => {
      for (const message of this.#frames.take(data)) this.#receive(message);
    });
  }

  call(name: string, argument: unknown): Promise<unknown> {
    if (this.#isGone) return Promise.reject(gone(name));
    if (this.#waiting.size >= CALLS_WAITING_MAX || this.#socket.writableLength > UNSENT_BYTES_MAX) {
      return Promise.reject(new CallError("overloaded", `Cannot call ${name}: too much waits`));
    }
    const number = this.#nextNumber++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#send(["call", number, name, argument]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isGone) this.#flush();
    this.#socket.destroySoon();
    await this.closed;
  }

  #send(message: Message): void {
    if (this.#isGone) return;
    this.#unsent.push(message);
    // Later in this turn, so that what belongs together travels together.
    if (this.#unsent.length === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    if (this.#unsent.length === 0 || this.#isGone) return;
    const body = serialize(this.#unsent);
    this.#unsent = [];
    const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
    header.writeUInt32LE(body.length, 0);
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(body);
    this.#socket.uncork();
  }

  #receive(message: Message): void {
    if (message[0] === "call") {
      this.#answer(message[1], message[2], message[3]);
      return;
    }
    const waiting = this.#waiting.get(message[1]);
    assert(waiting !== undefined, "an answer belongs to a call");
    this.#waiting.delete(message[1]);
    if (message[0] === "done") waiting.resolve(message[2]);
    else waiting.reject(new CallError(message[2], message[3]));
  }

  #answer(number: number, name: string, argument: unknown): void {
    const handler = Object.hasOwn(this.#handlers, name) ? this.#handlers[name] : undefined;
    if (handler === undefined) {
      this.#send(["failed", number, "no-such-call", `Cannot call ${name}: it is not known here`]);
      return;
    }
    // In the turn of its arrival, so that calls begin in their order.
    const run = async (): Promise<unknown> => handler(argument);
    run().then(
      (value) => this.#send(["done", number, value]),
      (error: unknown) => this.#send(["failed", number, codeOf(error), textOf(error)]),
    );
  }

  #end(): void {
    this.#isGone = true;
    this.#unsent = [];
    for (const { reject } of this.#waiting.values()) reject(gone("the other process"));
    this.#waiting.clear();
  }
}

/** Cuts the stream into frames; holds at most one unfinished frame. */
class FrameReader {
  #pieces: Buffer[] = [];
  #bytes = 0;

  *take(data: Buffer): Generator<Message> {
    this.#pieces.push(data);
    this.#bytes += data.length;
    while (this.#bytes >= FRAME_HEADER_BYTES) {
      const joined = this.#joined();
      const bodyBytes = joined.readUInt32LE(0);
      assert(bodyBytes <= FRAME_BYTES_MAX, "a frame has a size within its bound");
      const end = FRAME_HEADER_BYTES + bodyBytes;
      if (this.#bytes < end) return;
      const messages = deserialize(joined.subarray(FRAME_HEADER_BYTES, end)) as Message[];
      const rest = joined.subarray(end);
      this.#pieces = rest.length === 0 ? [] : [rest];
      this.#bytes = rest.length;
      yield* messages;
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
