import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { assert } from "../../assert.ts";
import type { Clock } from "../../clock.ts";
import type { Foreground } from "../../foreground.ts";
import type { Log } from "../../log.ts";
import type { Service } from "../../service.ts";
import { httpDate } from "../dates.ts";
import { HttpError } from "../http-error.ts";
import { HttpRequest } from "../http-request.ts";
import {
  DOOR_CONNECTIONS_MAX,
  DOOR_HEADERS_TIMEOUT_MS,
  DOOR_HEADER_BYTES_MAX,
  DOOR_KEEP_ALIVE_TIMEOUT_MS,
  DOOR_REQUESTS_AT_ONCE_MAX,
  UNREAD_BYTES_MAX,
  UNREAD_LINGER_MS,
} from "../limits.ts";
import type { HttpReply } from "../reply.ts";
import { type PrimedReply, primeReply, sendReply } from "../send-reply.ts";
import { StallWatch } from "../stall-watch.ts";

/** What is behind a door. */
export interface HttpHandler {
  /**
   * Throws `HttpError` for refusals; whatever else it throws is told by `explain`, or as a failure of the server. What is
   * answered without waiting need not be promised.
   */
  handle(request: HttpRequest): HttpReply | Promise<HttpReply>;
  /** An error of the world as an answer; `undefined` when it is none that this door knows. */
  explain(error: unknown): HttpError | undefined;
}

export interface HttpDoorOptions {
  readonly handler: HttpHandler;
  /** Address to listen on, such as `127.0.0.1`. */
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of each request. */
  readonly foreground?: Foreground | undefined;
}

/** A listening port: HTTP in, handler, HTTP out, with bounds on everything that a client can make it hold. */
export class HttpDoor implements Service {
  readonly #options: HttpDoorOptions;
  readonly #server: Server;
  readonly #stalls: StallWatch;
  readonly #sockets = new Set<Socket>();
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  #port = 0;
  #dateSec = Number.NaN;
  #dateText = "";

  private constructor(options: HttpDoorOptions) {
    this.#options = options;
    this.#stalls = new StallWatch(options.clock);
    this.#server = createServer({
      keepAliveTimeout: DOOR_KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: DOOR_HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      maxHeaderSize: DOOR_HEADER_BYTES_MAX,
    });
    this.#server.on("connection", (socket) => this.#admit(socket));
    this.#server.on("request", (incoming, outgoing) => this.#serve(incoming, outgoing, "sends"));
    this.#server.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) =>
      this.#serve(incoming, outgoing, "waits"),
    );
  }

  /** Resolves when the port answers; rejects with the system's error when it cannot be had. */
  static async open(options: HttpDoorOptions): Promise<HttpDoor> {
    const door = new HttpDoor(options);
    await door.#listen();
    return door;
  }

  /** The port that is really listened on. */
  get port(): number {
    return this.#port;
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

  async #listen(): Promise<void> {
    const { address, port, log } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, address, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#server.on("error", (error) => log.error("listener failed", { error }));
    const bound = this.#server.address() as AddressInfo | string | null;
    assert(typeof bound === "object" && bound !== null, "a listening server has an address");
    this.#port = bound.port;
  }

  #admit(socket: Socket): void {
    if (this.#sockets.size >= DOOR_CONNECTIONS_MAX) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #serve(incoming: IncomingMessage, outgoing: ServerResponse, body: "sends" | "waits"): void {
    this.#inFlight++;
    this.#options.foreground?.enter();
    this.#exchange(incoming, outgoing, body).then(this.#ended, (error: unknown) => {
      this.#options.log.error("a request ended in a bug", { error });
      outgoing.destroy();
      this.#ended();
    });
  }

  readonly #ended = (): void => {
    this.#inFlight--;
    this.#options.foreground?.leave();
    if (this.#inFlight === 0) this.#onIdle?.();
  };

  async #exchange(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    body: "sends" | "waits",
  ): Promise<void> {
    const owed = body === "waits" ? new OwedContinue(outgoing) : undefined;
    // An aborted request emits an error that nobody may be reading for any more.
    incoming.on("error", ignoreError);
    const isHead = incoming.method === "HEAD";
    const primed = await this.#reply(incoming, outgoing, owed);
    const { headers } = primed.kind === "primed" ? primed.reply : primed;
    headers["Server"] = "Kelp";
    headers["Date"] = this.#date();
    // What a client stored is what it says it is, and nothing that a browser guesses.
    headers["X-Content-Type-Options"] = "nosniff";
    const isContinueOwed = owed?.isOwed === true;
    const isEnding = headers["Connection"] === "close" && !incoming.complete;
    const isCut = isContinueOwed || isEnding || hasTooMuchLeft(incoming);
    if (isCut || !this.#server.listening) headers["Connection"] = "close";
    try {
      const sending = sendReply(outgoing, primed, {
        isHead,
        stalls: this.#stalls,
        // A client that waits for `100 Continue` has sent nothing that could be lost with the connection.
        linger: isCut && !isContinueOwed ? () => this.#linger(incoming, outgoing) : undefined,
      });
      if (sending !== undefined) await sending;
    } catch (error) {
      this.#options.log.error("an answer failed midway", { error });
    }
    if (!isCut && !incoming.complete) incoming.resume();
  }

  async #reply(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    owed: OwedContinue | undefined,
  ): Promise<PrimedReply> {
    try {
      if (this.#inFlight > DOOR_REQUESTS_AT_ONCE_MAX) {
        throw new HttpError(503, "Too many requests at once", { headers: { "Retry-After": "1" } });
      }
      refuseAmbiguity(incoming);
      const request = new HttpRequest(incoming, outgoing, { stalls: this.#stalls, owed });
      const reply = await this.#options.handler.handle(request);
      return reply.kind === "bytes" ? reply : await primeReply(reply, incoming.method === "HEAD");
    } catch (error) {
      return this.#errorReply(error);
    }
  }

  /** Made once a second. */
  #date(): string {
    const second = Math.floor(this.#options.clock.nowMs() / 1000);
    if (second !== this.#dateSec) {
      this.#dateSec = second;
      this.#dateText = httpDate(second * 1000);
    }
    return this.#dateText;
  }

  #errorReply(error: unknown): PrimedReply {
    const known = error instanceof HttpError ? error : this.#options.handler.explain(error);
    if (known === undefined || known.status === 500) {
      this.#options.log.error("a request failed", { error });
    }
    const told = known ?? new HttpError(500, "The server failed; its log tells more");
    return {
      kind: "bytes",
      status: told.status,
      headers: { "Content-Type": "application/json", ...told.headers },
      body: JSON.stringify({ error: told.message }),
    };
  }

  /** A connection that is cut while the client writes loses the answer: its bytes are dropped for a while first. */
  #linger(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.schedule(UNREAD_LINGER_MS, resolve);
      const finish = (): void => {
        timer.cancel();
        resolve();
      };
      incoming.once("end", finish).once("close", finish);
      outgoing.once("close", finish);
      incoming.resume();
    });
  }
}

/** A client waits to be told that it may send its body. */
class OwedContinue {
  readonly #outgoing: ServerResponse;
  isOwed = true;

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
  }

  send(): void {
    if (!this.isOwed) return;
    this.isOwed = false;
    this.#outgoing.writeContinue();
  }
}

/** Headers that a gate decides by; of two, one reader would take the first and another the last. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "content-length",
  "host",
  "origin",
  "transfer-encoding",
]);

/** What two readers could read differently is refused. */
function refuseAmbiguity(incoming: IncomingMessage): void {
  const { rawHeaders, headers } = incoming;
  // As many names as lines: none is repeated.
  let nameCount = 0;
  for (const _ in headers) nameCount++;
  if (nameCount * 2 !== rawHeaders.length) refuseRepeated(rawHeaders);
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return;
  if (coding.toLowerCase() !== "chunked" || headers["content-length"] !== undefined) {
    throw new HttpError(400, "The length of the body is not certain");
  }
}

function refuseRepeated(rawHeaders: readonly string[]): void {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) throw new HttpError(400, `The header ${name} is repeated`);
    seen.add(name);
  }
}

/** Whether what the client still sends is too much to read and drop for the sake of the connection. */
function hasTooMuchLeft(incoming: IncomingMessage): boolean {
  const length = incoming.headers["content-length"];
  if (length === undefined) {
    return incoming.headers["transfer-encoding"] !== undefined && !incoming.complete;
  }
  return Number(length) > UNREAD_BYTES_MAX && !incoming.complete;
}

function ignoreError(): void {
  // The reader of the body, if there is one, has its own listener; without one there is nothing to tell.
}
