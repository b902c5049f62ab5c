import { StallWatch } from "@kelp/base/http";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import {
  type Clock,
  type Foreground,
  type Hashes,
  type Log,
  type Random,
  Semaphore,
  type Service,
  hex,
} from "@kelp/base";
import type { Authorizer, Filer, KeyDirectory } from "@kelp/wire";
import {
  CONNECTIONS_MAX,
  DOCUMENTS_AT_ONCE_MAX,
  HEADERS_TIMEOUT_MS,
  HEADER_BYTES_MAX,
  KEEP_ALIVE_TIMEOUT_MS,
} from "../limits.ts";
import type { Region } from "../operations/operation.ts";
import { Exchange, type ExchangeOptions } from "./exchange.ts";
import { assert } from "@kelp/base";

export interface S3ServerOptions {
  readonly filer: Filer;
  readonly authorizer: Authorizer;
  readonly keys: KeyDirectory;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  readonly log: Log;
  /** Address to listen on, such as `127.0.0.1`. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly region: Region;
  /** Host names before which a bucket's name may stand (virtual-host style), lower case, without port. */
  readonly domains?: readonly string[];
  /** Told of each request. */
  readonly foreground?: Foreground | undefined;
}

/** A listening S3 door. */
export interface S3Server extends Service {
  /** The port that is really listened on. */
  readonly port: number;
}

/** Opens the S3 door. Resolves when it listens; rejects with the system's error when it cannot. */
export async function openS3Server(options: S3ServerOptions): Promise<S3Server> {
  const server = new NodeS3Server(options);
  await server.listen(options.host, options.port);
  return server;
}

class NodeS3Server implements S3Server {
  readonly #server: Server;
  readonly #options: ExchangeOptions;
  readonly #stalls: StallWatch;
  readonly #sockets = new Set<Socket>();
  readonly #requestIdPrefix: string;
  readonly #foreground: Foreground | undefined;
  #requestCount = 0;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  #port = 0;

  constructor(options: S3ServerOptions) {
    this.#stalls = new StallWatch(options.clock);
    this.#foreground = options.foreground;
    this.#requestIdPrefix = hex(options.random.bytes(4)).toUpperCase();
    this.#options = {
      store: {
        filer: options.filer,
        authorizer: options.authorizer,
        clock: options.clock,
        hashes: options.hashes,
        log: options.log,
        region: options.region,
      },
      keys: options.keys,
      domains: options.domains ?? [],
      stalls: this.#stalls,
      documents: new Semaphore(DOCUMENTS_AT_ONCE_MAX),
      hostId: hex(options.random.bytes(16)),
      isDraining: () => !this.#server.listening,
    };
    this.#server = createServer({
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      maxHeaderSize: HEADER_BYTES_MAX,
    });
    this.#server.on("connection", (socket) => this.#admit(socket));
    this.#server.on("request", (incoming, outgoing) => this.#serve(incoming, outgoing, "sends"));
    this.#server.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) =>
      this.#serve(incoming, outgoing, "waits"),
    );
  }

  get port(): number {
    return this.#port;
  }

  async listen(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#server.on("error", (error) => {
      this.#options.store.log.error("S3 listener failed", { error });
    });
    const address = this.#server.address() as AddressInfo | string | null;
    assert(typeof address === "object" && address !== null, "a listening server has an address");
    this.#port = address.port;
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#server.close();
    this.#server.closeIdleConnections();
    if (this.#inFlight === 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  async stop(): Promise<void> {
    this.#stalls[Symbol.dispose]();
    if (this.#server.listening) this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #admit(socket: Socket): void {
    if (this.#sockets.size >= CONNECTIONS_MAX) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #serve(incoming: IncomingMessage, outgoing: ServerResponse, body: "sends" | "waits"): void {
    this.#inFlight++;
    this.#foreground?.enter();
    const requestId = this.#nextRequestId();
    const exchange = new Exchange(incoming, outgoing, this.#options);
    exchange
      .run({ requestId, body, inFlight: this.#inFlight })
      .catch((error: unknown) => {
        this.#options.store.log.error("S3 request ended in a bug", {
          request_id: requestId,
          error,
        });
        outgoing.destroy();
      })
      .finally(() => {
        this.#inFlight--;
        this.#foreground?.leave();
        if (this.#inFlight === 0) this.#onIdle?.();
      });
  }

  /** Unique in this process and unlikely to be met in another: 8 random digits, then a counter. */
  #nextRequestId(): string {
    this.#requestCount = (this.#requestCount + 1) % 0x1_0000_0000;
    return this.#requestIdPrefix + this.#requestCount.toString(16).toUpperCase().padStart(8, "0");
  }
}
