import type { Clock, Timer } from "../clock.ts";
import type { Foreground } from "../foreground.ts";
import { httpDate } from "../http/dates.ts";
import { StallWatch } from "../http/stall-watch.ts";
import type { Log } from "../log.ts";
import type { PortSharing, TcpConnection, TcpEvents, TcpListener, TcpNetwork } from "../net/tcp.ts";
import type { Service } from "../service.ts";
import { type ConnectionHost, Http1Connection } from "./connection.ts";
import type { Http1Exchange } from "./exchange.ts";
import type { Http1Error, RefusalBody } from "./http1-error.ts";
import { CONNECTION_CHECK_MS } from "./limits.ts";

/** What a door allows its clients. */
export interface Http1Limits {
  /** Open connections, idle ones included; further ones are closed on arrival. */
  readonly connectionsMax: number;
  /** Request line and header lines together. */
  readonly headBytesMax: number;
  /** From the opening of a connection, or the first byte of a request, to the end of its head. Also for the rest of a body that nobody reads. */
  readonly headTimeoutMs: number;
  /** Idle connections are kept this long. */
  readonly keepAliveTimeoutMs: number;
  /** An unread body up to this is read and dropped so that the connection serves on; a larger one ends it. */
  readonly unreadBytesMax: number;
  /** After the last answer, what a client still sends is dropped for this long before the connection is cut. */
  readonly lingerMs: number;
}

export interface Http1ServerOptions {
  readonly network: TcpNetwork;
  /** Address to listen on, such as `127.0.0.1`. */
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly sharing?: PortSharing | undefined;
  readonly limits: Http1Limits;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of each request. */
  readonly foreground?: Foreground | undefined;
  /**
   * Answers one request; `inFlight` counts those being answered, with this one; `stalls` ends what its client holds up. A rejection is a bug
   * and ends the connection.
   */
  readonly handle: (exchange: Http1Exchange, inFlight: number, stalls: StallWatch) => Promise<void>;
  /** Default: its message as plain text. Does not throw. */
  readonly describeRefusal?: (error: Http1Error) => RefusalBody;
}

const NO_EVENTS: TcpEvents = {
  data: ignore,
  drained: ignore,
  ended: ignore,
  closed: ignore,
};

/** HTTP/1.1 on a port (RFC 9112): exchanges in, answers out, with bounds on everything that a client can make it hold. */
export class Http1Server implements Service, ConnectionHost {
  readonly stalls: StallWatch;
  readonly limits: ConnectionHost["limits"];
  readonly #options: Http1ServerOptions;
  readonly #connections = new Set<Http1Connection>();
  #listener: TcpListener | undefined;
  #port = 0;
  #timer: Timer | undefined;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  #dateSec = Number.NaN;
  #commonLines = "";

  private constructor(options: Http1ServerOptions) {
    this.#options = options;
    this.stalls = new StallWatch(options.clock);
    const { headBytesMax, unreadBytesMax, headTimeoutMs, keepAliveTimeoutMs, lingerMs } =
      options.limits;
    this.limits = {
      headBytesMax,
      unreadBytesMax,
      headLooksMax: looksIn(headTimeoutMs),
      idleLooksMax: looksIn(keepAliveTimeoutMs),
      endingLooksMax: looksIn(lingerMs),
    };
  }

  /** Resolves when the port answers; rejects with the system's error when it cannot be had. */
  static async open(options: Http1ServerOptions): Promise<Http1Server> {
    const server = new Http1Server(options);
    const { network, address, port, sharing = "alone" } = options;
    server.#listener = await network.listen({ address, port, sharing }, (connection) =>
      server.#admit(connection),
    );
    server.#port = server.#listener.port;
    return server;
  }

  /** The port that is really listened on. */
  get port(): number {
    return this.#port;
  }

  get isDraining(): boolean {
    return this.#listener === undefined;
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#close();
    for (const connection of this.#connections) connection.drain();
    if (this.#inFlight === 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  async stop(): Promise<void> {
    this.#close();
    this.stalls[Symbol.dispose]();
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const connection of this.#connections) connection.destroy();
    await Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Made once a second. */
  commonLines(): string {
    const second = Math.floor(this.#options.clock.nowMs() / 1000);
    if (second !== this.#dateSec) {
      this.#dateSec = second;
      this.#commonLines = `Server: Kelp\r\nDate: ${httpDate(second * 1000)}\r\n`;
    }
    return this.#commonLines;
  }

  describeRefusal(error: Http1Error): RefusalBody {
    const { describeRefusal } = this.#options;
    if (describeRefusal !== undefined) return describeRefusal(error);
    return { mediaType: "text/plain", text: `${error.message}\n` };
  }

  handle(exchange: Http1Exchange): void {
    const { handle, foreground, log } = this.#options;
    this.#inFlight++;
    foreground?.enter();
    handle(exchange, this.#inFlight, this.stalls).then(this.#ended, (error: unknown) => {
      log.error("a request ended in a bug", { error });
      exchange.response.destroy();
      this.#ended();
    });
  }

  closed(connection: Http1Connection): void {
    this.#connections.delete(connection);
  }

  readonly #ended = (): void => {
    this.#inFlight--;
    this.#options.foreground?.leave();
    if (this.#inFlight === 0) this.#onIdle?.();
  };

  #close(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  #admit(connection: TcpConnection): TcpEvents {
    if (this.#connections.size >= this.#options.limits.connectionsMax) {
      connection.destroy();
      return NO_EVENTS;
    }
    const admitted = new Http1Connection(this, connection);
    this.#connections.add(admitted);
    this.#schedule();
    return admitted;
  }

  /** One timer looks at all connections: a request costs none of its own. */
  #schedule(): void {
    this.#timer ??= this.#options.clock.schedule(CONNECTION_CHECK_MS, () => {
      this.#timer = undefined;
      for (const connection of this.#connections) connection.look();
      if (this.#connections.size > 0) this.#schedule();
    });
  }
}

function looksIn(timeMs: number): number {
  return Math.ceil(timeMs / CONNECTION_CHECK_MS);
}

function ignore(): void {
  // Of a connection that was not taken nothing is to be known.
}
