import type { Http1Exchange, RequestHeaders } from "@kelp/base/http1";
import { parseQuery, splitTarget } from "../http/target.ts";
import type { S3Request } from "../request.ts";

/** The connection is looked at only when somebody asks. Throws `InvalidURI` for a target that cannot be read. */
export class WireRequest implements S3Request {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly query: S3Request["query"];
  readonly headers: RequestHeaders;
  readonly #exchange: Http1Exchange;

  constructor(exchange: Http1Exchange, headers: RequestHeaders) {
    const { method, target } = exchange.head;
    const { rawPath, rawQuery } = splitTarget(target);
    this.method = method;
    this.rawPath = rawPath;
    this.rawQuery = rawQuery;
    this.query = parseQuery(rawQuery);
    this.headers = headers;
    this.#exchange = exchange;
  }

  get rawHeaders(): readonly string[] {
    return this.#exchange.head.lines;
  }

  get hasRepeats(): boolean {
    return this.#exchange.head.hasRepeats;
  }

  get remoteAddress(): string {
    return this.#exchange.connection.remoteAddress;
  }

  get isSecure(): boolean {
    return this.#exchange.connection.isEncrypted;
  }
}
