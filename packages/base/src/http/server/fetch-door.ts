import type { Clock } from "../../clock.ts";
import { type Http1Exchange, Http1Server } from "../../http1/index.ts";
import type { Log } from "../../log.ts";
import type { TcpNetwork } from "../../net/tcp.ts";
import { fetchRequest, sendFetchResponse } from "../fetch-exchange.ts";
import { HttpError } from "../http-error.ts";
import { HttpRequest } from "../http-request.ts";
import type { StallWatch } from "../stall-watch.ts";
import { DOOR_LIMITS } from "./door-limits.ts";
import type { HttpDoor } from "./http-door.ts";

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

/**
 * Opens a port whose handler speaks the Fetch standard: for people's doors, where raw paths do not matter. Resolves when the port answers;
 * rejects with the system's error when it cannot be had.
 */
export function openFetchDoor(options: FetchDoorOptions): Promise<HttpDoor> {
  const { network, address, port, clock, log } = options;
  const { connectionsMax = DOOR_LIMITS.connectionsMax } = options;
  const answers = new FetchAnswers(options);
  return Http1Server.open({
    network,
    address,
    port,
    clock,
    log,
    limits: { ...DOOR_LIMITS, connectionsMax },
    handle: (exchange, _, stalls) => answers.give(exchange, stalls),
  });
}

class FetchAnswers {
  readonly #options: Pick<FetchDoorOptions, "handle" | "refuse" | "log">;

  constructor(options: FetchDoorOptions) {
    this.#options = options;
  }

  async give(exchange: Http1Exchange, stalls: StallWatch): Promise<void> {
    const answer = await this.#answer(exchange, stalls);
    try {
      await sendFetchResponse(exchange, answer);
    } catch (error) {
      exchange.response.destroy();
      this.#options.log.error("an answer failed midway", { error });
    }
  }

  async #answer(exchange: Http1Exchange, stalls: StallWatch): Promise<Response> {
    let bodyFailure: unknown;
    try {
      const received = new HttpRequest(exchange, stalls);
      const request = fetchRequest(exchange, stalls, (error) => {
        bodyFailure = error;
      });
      const answer = await this.#options.handle(request, received);
      // To most handlers a body that fails is a failure of their own; the client shall know that it was its.
      if (answer.status < 500 || !(bodyFailure instanceof HttpError)) return answer;
      await answer.body?.cancel();
      return this.#options.refuse(bodyFailure);
    } catch (error) {
      if (error instanceof HttpError) return this.#options.refuse(error);
      this.#options.log.error("a request failed", { error });
      return this.#options.refuse(new HttpError(500, "The server failed; its log tells more"));
    }
  }
}
