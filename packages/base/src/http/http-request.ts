import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
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
  readonly headers: IncomingHttpHeaders;
  readonly #about: AboutBody;
  #body: RequestBody | undefined;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  #query: Query | undefined;
  #signal: AbortSignal | undefined;

  /** Throws `HttpError` 400 for a target that is no path. */
  constructor(incoming: IncomingMessage, outgoing: ServerResponse, about: AboutBody) {
    const target = incoming.url ?? "";
    // Proxies may send the absolute form; a door is no proxy, and a fragment never travels.
    if (!target.startsWith("/") || target.includes("#")) {
      throw new HttpError(400, "The target of the request is not a path");
    }
    const mark = target.indexOf("?");
    this.method = incoming.method ?? "";
    this.rawPath = mark === -1 ? target : target.slice(0, mark);
    this.rawQuery = mark === -1 ? "" : target.slice(mark + 1);
    this.headers = incoming.headers;
    this.#about = about;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  get body(): RequestBody {
    this.#body ??= new RequestBody(this.#incoming, this.#about.stalls, this.#about.owed);
    return this.#body;
  }

  /** Throws `HttpError` 400 on broken encoding. */
  get query(): Query {
    this.#query ??= this.rawQuery === "" ? NO_QUERY : new Query(this.rawQuery);
    return this.#query;
  }

  /** Aborts when the client is gone before its answer was sent. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#outgoing.once("close", () => controller.abort());
      this.#signal = controller.signal;
    }
    return this.#signal;
  }

  get connection(): object {
    return this.#incoming.socket;
  }

  get remoteAddress(): string {
    return this.#incoming.socket.remoteAddress ?? "";
  }

  get remotePort(): number {
    return this.#incoming.socket.remotePort ?? 0;
  }

  get localAddress(): string {
    return this.#incoming.socket.localAddress ?? "";
  }

  get localPort(): number {
    return this.#incoming.socket.localPort ?? 0;
  }
}

interface AboutBody {
  readonly stalls: StallWatch;
  /** Where the client waits to be told to go on. */
  readonly owed: { send(): void } | undefined;
}

const NO_QUERY = new Query("");
