import type { StallWatch } from "@kelp/base/http";
import type { Http1Exchange } from "@kelp/base/http1";
import { type Address, addressOf } from "../router/address.ts";
import { REQUESTS_AT_ONCE_MAX } from "../limits.ts";
import { IncomingBody } from "./incoming-body.ts";
import { type PrimedReply, primeReply, sendReply } from "./send.ts";
import { authenticate } from "../auth/index.ts";
import type { KeyDirectory } from "@kelp/wire";
import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";
import type { Semaphore } from "@kelp/base";
import type { Store } from "../operations/operation.ts";
import { WireRequest } from "./wire-request.ts";
import { errorReply } from "./error-reply.ts";
import { findOperation } from "../operations/registry.ts";
import { presignedHeaders } from "../http/presigned-headers.ts";
import { routeRequest } from "../router/router.ts";
import { runOperation } from "./dispatch.ts";
import { toS3Error } from "../operations/refusals.ts";

/** What all exchanges of a server share. */
export interface ExchangeOptions {
  readonly store: Store;
  readonly keys: KeyDirectory;
  readonly domains: readonly string[];
  readonly stalls: StallWatch;
  readonly documents: Semaphore;
  readonly hostId: string;
}

interface Turn {
  readonly requestId: string;
  /** Requests being served, this one included. */
  readonly inFlight: number;
}

/** One request and its answer. */
export class Exchange {
  readonly #http: Http1Exchange;
  readonly #options: ExchangeOptions;
  #operation = "-";

  constructor(http: Http1Exchange, options: ExchangeOptions) {
    this.#http = http;
    this.#options = options;
  }

  /** Never rejects for what a client or the store does; a rejection is a bug, and the connection is then in no known state. */
  async run(turn: Turn): Promise<void> {
    const { store, hostId } = this.#options;
    const { head, response, body, isHead } = this.#http;
    const startedMs = store.clock.monotonicMs();
    const reply = await this.#reply(turn);
    // An empty body is never asked for; a client that was promised nothing may misread the next answer.
    if (reply.status < 300) body.sendContinue();
    const { headers } = reply;
    headers["x-amz-request-id"] = turn.requestId;
    headers["x-amz-id-2"] = hostId;
    try {
      const sending = sendReply(response, reply, isHead);
      if (sending !== undefined) await sending;
    } catch (error) {
      response.destroy();
      store.log.error("S3 answer failed midway", { request_id: turn.requestId, error });
    }
    store.log.debug("s3 request", {
      request_id: turn.requestId,
      operation: this.#operation,
      method: head.method,
      path: splitAtQuery(head.target),
      status: reply.status,
      duration_ms: store.clock.monotonicMs() - startedMs,
    });
  }

  async #reply(turn: Turn): Promise<PrimedReply> {
    let rawPath = "";
    try {
      if (turn.inFlight > REQUESTS_AT_ONCE_MAX) throw new S3Error("SlowDown");
      const request = new WireRequest(this.#http, this.#http.head.headers);
      rawPath = request.rawPath;
      return await this.#perform(request);
    } catch (error) {
      const s3Error = toS3Error(error);
      if (s3Error.status >= 500 && s3Error.code !== "NotImplemented") {
        this.#options.store.log.error("S3 request failed", {
          request_id: turn.requestId,
          operation: this.#operation,
          error,
        });
      }
      return errorReply(s3Error, {
        rawPath,
        requestId: turn.requestId,
        hostId: this.#options.hostId,
      });
    }
  }

  async #perform(received: S3Request): Promise<PrimedReply> {
    const { store, keys, domains, stalls, documents } = this.#options;
    const address = addressOf(received.rawPath, received.headers.host, domains);
    const caller = authenticate(received, {
      keys,
      clock: store.clock,
      hashes: store.hashes,
      region: store.region,
    });
    const request = caller.isPresigned
      ? new WireRequest(this.#http, presignedHeaders(received))
      : received;
    const operation = this.#route(request, address);
    const body = new IncomingBody(
      this.#http.body,
      { request, caller },
      { hashes: store.hashes, stalls, documents },
    );
    const reply = await runOperation(operation, {
      request,
      address,
      caller,
      store,
      body,
      signal: () => this.#http.signal,
    });
    return reply.kind === "stream" ? primeReply(reply) : reply;
  }

  #route(request: S3Request, address: Address): NonNullable<ReturnType<typeof findOperation>> {
    const name = routeRequest(request, address.level);
    this.#operation = name;
    const operation = findOperation(name);
    if (operation === undefined) {
      throw new S3Error("NotImplemented", undefined, { details: { Operation: name } });
    }
    return operation;
  }
}

function splitAtQuery(target: string): string {
  const mark = target.indexOf("?");
  return mark === -1 ? target : target.slice(0, mark);
}
