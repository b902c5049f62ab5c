import type { TcpConnection } from "../net/tcp.ts";
import type { IncomingBody } from "./incoming-body.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseWriter } from "./response-writer.ts";

/** One request and the place for its answer. */
export class Http1Exchange {
  readonly head: RequestHead;
  readonly body: IncomingBody;
  readonly response: ResponseWriter;
  /** The same object for all requests of a connection. */
  readonly connection: TcpConnection;
  #controller: AbortController | undefined;
  #isGone = false;

  constructor(
    head: RequestHead,
    body: IncomingBody,
    response: ResponseWriter,
    connection: TcpConnection,
  ) {
    this.head = head;
    this.body = body;
    this.response = response;
    this.connection = connection;
  }

  get isHead(): boolean {
    return this.head.method === "HEAD";
  }

  /** Aborts when the client is gone, or says that it sends nothing more, before its answer was sent. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isGone) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Of the connection. */
  leave(): void {
    this.#isGone = true;
    this.#controller?.abort();
  }
}
