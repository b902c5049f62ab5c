import type { Http1Exchange, RequestHeaders } from "../http1/index.ts";
import { HttpError } from "./http-error.ts";
import { Query } from "./query.ts";
import { RequestBody } from "./request-body.ts";
import type { StallWatch } from "./stall-watch.ts";

/**
 * One request as a door sees it: the target exactly as it came, everything else made when somebody asks. What a gate
 * wants to know of the connection is taken from the connection, never from a header.
 */
export class HttpRequest {
  readonly method: string;
  /** Percent-encoding untouched, nothing normalised. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly headers: RequestHeaders;
  readonly #exchange: Http1Exchange;
  readonly #stalls: StallWatch;
  #body: RequestBody | undefined;
  #query: Query | undefined;

  /** Throws `HttpError` 400 for a target that is no path. */
  constructor(exchange: Http1Exchange, stalls: StallWatch) {
    const { method, target, headers } = exchange.head;
    // Proxies may send the absolute form; a door is no proxy, and a fragment never travels.
    if (!target.startsWith("/") || target.includes("#")) {
      throw new HttpError(400, "The target of the request is not a path");
    }
    const mark = target.indexOf("?");
    this.method = method;
    this.rawPath = mark === -1 ? target : target.slice(0, mark);
    this.rawQuery = mark === -1 ? "" : target.slice(mark + 1);
    this.headers = headers;
    this.#exchange = exchange;
    this.#stalls = stalls;
  }

  get body(): RequestBody {
    this.#body ??= new RequestBody(this.#exchange.body, this.#stalls);
    return this.#body;
  }

  /** Throws `HttpError` 400 on broken encoding. */
  get query(): Query {
    this.#query ??= this.rawQuery === "" ? NO_QUERY : new Query(this.rawQuery);
    return this.#query;
  }

  /** Aborts when the client is gone before its answer was sent. */
  get signal(): AbortSignal {
    return this.#exchange.signal;
  }

  /** The same object for all requests of a connection. */
  get connection(): object {
    return this.#exchange.connection;
  }

  get remoteAddress(): string {
    return this.#exchange.connection.remoteAddress;
  }

  get remotePort(): number {
    return this.#exchange.connection.remotePort;
  }

  get localAddress(): string {
    return this.#exchange.connection.localAddress;
  }

  get localPort(): number {
    return this.#exchange.connection.localPort;
  }
}

const NO_QUERY = new Query("");
