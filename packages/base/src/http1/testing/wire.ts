import type { TcpConnection, TcpEvents, TcpNetwork } from "../../net/tcp.ts";

/** A connection in memory: what a client sends is given to its events, what is answered is kept. */
export class Wire implements TcpConnection {
  readonly isEncrypted = false;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 2;
  readonly #written: Buffer[] = [];
  readonly #events: TcpEvents | undefined;
  /** Bytes that the system takes of writes before the reader makes room. */
  roomBytes = Number.POSITIVE_INFINITY;
  isPaused = false;
  isFinished = false;
  isClosed = false;
  isReset = false;

  constructor(accept: (connection: TcpConnection) => TcpEvents) {
    this.#events = accept(this);
  }

  /** Everything that was answered, one character a byte. */
  get answered(): string {
    return Buffer.concat(this.#written).toString("latin1");
  }

  /** Of what was answered nothing is kept. */
  forget(): void {
    this.#written.length = 0;
  }

  /** The bytes are the receiver's own. */
  send(text: string | Uint8Array): void {
    if (this.isClosed) return;
    const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
    this.#events?.data(new Uint8Array(bytes));
  }

  end(): void {
    if (!this.isClosed) this.#events?.ended();
  }

  /** The reader takes so much more. */
  take(bytes: number): void {
    this.roomBytes += bytes;
    this.#events?.drained();
  }

  write(bytes: Uint8Array): number {
    if (this.isClosed) return 0;
    const taken = Math.min(bytes.length, this.roomBytes);
    this.roomBytes -= taken;
    this.#written.push(Buffer.from(bytes.subarray(0, taken)));
    return taken;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  finish(): void {
    this.isFinished = true;
  }

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#events?.closed();
  }

  reset(): void {
    this.isReset = true;
    this.destroy();
  }
}

/** A network of one listener, whose connections a test makes. */
export class WireNetwork implements TcpNetwork {
  #accept: ((connection: TcpConnection) => TcpEvents) | undefined;

  listen(_: unknown, accept: (connection: TcpConnection) => TcpEvents) {
    this.#accept = accept;
    const close = (): void => {
      this.#accept = undefined;
    };
    return Promise.resolve({ port: 1, close, [Symbol.asyncDispose]: async () => close() });
  }

  connect(): Wire {
    const accept = this.#accept;
    if (accept === undefined) throw new Error("nobody listens");
    return new Wire(accept);
  }
}

/** Lets everything that is ready to run, run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
