import { must } from "../../assert.ts";
import type { Clock } from "../../clock.ts";
import { type Http1Exchange, Http1Server } from "../../http1/index.ts";
import type { Log } from "../../log.ts";
import type { TcpNetwork } from "../../net/tcp.ts";
import type { Service } from "../../service.ts";
import { fetchRequest, sendFetchResponse } from "../fetch-exchange.ts";
import { HttpError } from "../http-error.ts";
import { HttpRequest } from "../http-request.ts";
import { DOOR_LIMITS } from "./door-limits.ts";

export interface FetchDoorOptions {
  /** `received` tells what the connection and the head are in truth. */
  readonly handle: (request: Request, received: HttpRequest) => Promise<Response>;
  /** A refusal of the door itself, or of the handler, as an answer. */
  readonly refuse: (error: HttpError) => Response;
  readonly network: TcpNetwork;
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Open connections; the doors' own bound when it is not said. */
  readonly connectionsMax?: number;
}

/** A listening port whose handler speaks the Fetch standard: for people's doors, where raw paths do not matter. */
export class FetchDoor implements Service {
  readonly #options: FetchDoorOptions;
  #server: Http1Server | undefined;

  private constructor(options: FetchDoorOptions) {
    this.#options = options;
  }

  /** Resolves when the port answers; rejects with the system's error when it cannot be had. */
  static async open(options: FetchDoorOptions): Promise<FetchDoor> {
    const { network, address, port, clock, log } = options;
    const { connectionsMax = DOOR_LIMITS.connectionsMax } = options;
    const door = new FetchDoor(options);
    door.#server = await Http1Server.open({
      network,
      address,
      port,
      clock,
      log,
      limits: { ...DOOR_LIMITS, connectionsMax },
      handle: (exchange) => door.#exchange(exchange),
    });
    return door;
  }

  /** The port that is really listened on. */
  get port(): number {
    return this.#opened.port;
  }

  drain(signal: AbortSignal): Promise<void> {
    return this.#opened.drain(signal);
  }

  stop(): Promise<void> {
    return this.#opened.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #opened(): Http1Server {
    return must(this.#server);
  }

  async #exchange(exchange: Http1Exchange): Promise<void> {
    const answer = await this.#answer(exchange);
    try {
      await sendFetchResponse(exchange, answer);
    } catch (error) {
      exchange.response.destroy();
      this.#options.log.error("an answer failed midway", { error });
    }
  }

  async #answer(exchange: Http1Exchange): Promise<Response> {
    const { stalls } = this.#opened;
    try {
      const received = new HttpRequest(exchange, stalls);
      return await this.#options.handle(fetchRequest(exchange, stalls), received);
    } catch (error) {
      if (error instanceof HttpError) return this.#options.refuse(error);
      this.#options.log.error("a request failed", { error });
      return this.#options.refuse(new HttpError(500, "The server failed; its log tells more"));
    }
  }
}
