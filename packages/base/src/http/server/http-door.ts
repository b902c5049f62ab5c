import type { Clock } from "../../clock.ts";
import type { Foreground } from "../../foreground.ts";
import { type Http1Exchange, Http1Server } from "../../http1/index.ts";
import type { Log } from "../../log.ts";
import type { TcpNetwork } from "../../net/tcp.ts";
import type { Service } from "../../service.ts";
import { HttpError } from "../http-error.ts";
import { HttpRequest } from "../http-request.ts";
import { DOOR_REQUESTS_AT_ONCE_MAX } from "../limits.ts";
import type { HttpReply } from "../reply.ts";
import type { StallWatch } from "../stall-watch.ts";
import { type PrimedReply, primeReply, sendReply } from "../send-reply.ts";
import { DOOR_LIMITS } from "./door-limits.ts";

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
  readonly network: TcpNetwork;
  /** Address to listen on, such as `127.0.0.1`. */
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of each request. */
  readonly foreground?: Foreground | undefined;
}

/** A listening port with a handler behind it. */
export interface HttpDoor extends Service {
  /** The port that is really listened on. */
  readonly port: number;
}

/**
 * Opens a port: HTTP in, handler, HTTP out, with bounds on everything that a client can make it hold. Resolves when the port answers; rejects
 * with the system's error when it cannot be had.
 */
export function openHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const { network, address, port, clock, log, foreground } = options;
  const answers = new HttpAnswers(options);
  return Http1Server.open({
    network,
    address,
    port,
    clock,
    log,
    foreground,
    limits: DOOR_LIMITS,
    handle: (exchange, inFlight, stalls) => answers.give(exchange, inFlight, stalls),
  });
}

class HttpAnswers {
  readonly #handler: HttpHandler;
  readonly #log: Log;

  constructor({ handler, log }: HttpDoorOptions) {
    this.#handler = handler;
    this.#log = log;
  }

  async give(exchange: Http1Exchange, inFlight: number, stalls: StallWatch): Promise<void> {
    const primed = await this.#reply(exchange, inFlight, stalls);
    const { headers } = primed.kind === "primed" ? primed.reply : primed;
    // What a client stored is what it says it is, and nothing that a browser guesses.
    headers["X-Content-Type-Options"] = "nosniff";
    try {
      const sending = sendReply(exchange.response, primed);
      if (sending !== undefined) await sending;
    } catch (error) {
      exchange.response.destroy();
      this.#log.error("an answer failed midway", { error });
    }
  }

  async #reply(
    exchange: Http1Exchange,
    inFlight: number,
    stalls: StallWatch,
  ): Promise<PrimedReply> {
    try {
      if (inFlight > DOOR_REQUESTS_AT_ONCE_MAX) {
        throw new HttpError(503, "Too many requests at once", { headers: { "Retry-After": "1" } });
      }
      const request = new HttpRequest(exchange, stalls);
      const reply = await this.#handler.handle(request);
      return reply.kind === "bytes" ? reply : await primeReply(reply, exchange.isHead);
    } catch (error) {
      return this.#errorReply(error);
    }
  }

  #errorReply(error: unknown): PrimedReply {
    const known = error instanceof HttpError ? error : this.#handler.explain(error);
    if (known === undefined || known.status === 500) {
      this.#log.error("a request failed", { error });
    }
    const told = known ?? new HttpError(500, "The server failed; its log tells more");
    return {
      kind: "bytes",
      status: told.status,
      headers: { "Content-Type": "application/json", ...told.headers },
      body: JSON.stringify({ error: told.message }),
    };
  }
}
