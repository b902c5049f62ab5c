import { type StallWatch, httpDate } from "@kelp/base/http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Address, addressOf } from "../router/address.ts";
import { DISCARD_BYTES_MAX, LINGER_MS, REQUESTS_AT_ONCE_MAX } from "../limits.ts";
import { IncomingBody, contentLength, hasBody } from "./incoming-body.ts";
import { type PrimedReply, primeReply, sendReply } from "./send.ts";
import { parseQuery, splitTarget } from "../http/target.ts";
import { authenticate } from "../auth/index.ts";
import type { KeyDirectory } from "@kelp/wire";
import type { Level } from "../router/table.ts";
import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";
import type { Semaphore } from "@kelp/base";
import type { Store } from "../operations/operation.ts";
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
  /** Whether connections are to end with the answer under way. */
  readonly isDraining: () => boolean;
}

interface Turn {
  readonly requestId: string;
  /** `waits`: the client sends its body only after `100 Continue`. */
  readonly body: "sends" | "waits";
  /** Requests being served, this one included. */
  readonly inFlight: number;
}

/** One request and its answer. */
export class Exchange {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #options: ExchangeOptions;
  #operation = "-";
  #isContinueOwed = false;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, options: ExchangeOptions) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#options = options;
  }

  /** Never rejects for what a client or the store does; a rejection is a bug, and the connection is then in no known state. */
  async run(turn: Turn): Promise<void> {
    const { store, stalls, hostId } = this.#options;
    const startedMs = store.clock.monotonicMs();
    this.#isContinueOwed = turn.body === "waits";
    // An aborted request emits an error that nobody may be reading for any more.
    this.#incoming.on("error", ignoreError);
    const reply = await this.#reply(turn);
    // An empty body is never asked for; a client that was promised nothing may misread the next answer.
    if (this.#isContinueOwed && reply.status < 300) this.#sendContinue();
    const { headers } = reply;
    headers["x-amz-request-id"] = turn.requestId;
    headers["x-amz-id-2"] = hostId;
    headers["Server"] = "Kelp";
    headers["Date"] = httpDate(store.clock.nowMs());
    const isCut = this.#mustCut();
    if (isCut || this.#options.isDraining()) headers["Connection"] = "close";
    try {
      await sendReply(this.#outgoing, reply, {
        isHead: this.#incoming.method === "HEAD",
        stalls,
        // A client that waits for `100 Continue` has sent nothing that could be lost with the connection.
        linger: isCut && !this.#isContinueOwed ? () => this.#linger() : undefined,
      });
    } catch (error) {
      store.log.error("S3 answer failed midway", { request_id: turn.requestId, error });
    }
    if (!isCut && hasBody(this.#incoming)) this.#incoming.resume();
    store.log.debug("s3 request", {
      request_id: turn.requestId,
      operation: this.#operation,
      method: this.#incoming.method,
      path: splitAtQuery(this.#incoming.url ?? ""),
      status: reply.status,
      duration_ms: store.clock.monotonicMs() - startedMs,
    });
  }

  async #reply(turn: Turn): Promise<PrimedReply> {
    let rawPath = "";
    try {
      if (turn.inFlight > REQUESTS_AT_ONCE_MAX) throw new S3Error("SlowDown");
      const request = new WireRequest(this.#incoming, this.#incoming.headers);
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
    const coding = this.#incoming.headers["transfer-encoding"];
    // Under another coding the body is not what the signature and the client mean by it (RFC 9112 §6.1).
    if (coding !== undefined && coding.toLowerCase() !== "chunked") {
      throw new S3Error("InvalidRequest", "The one transfer coding that is understood is chunked");
    }
    const address = addressOf(received.rawPath, this.#incoming.headers.host, domains);
    const caller = authenticate(received, {
      keys,
      clock: store.clock,
      hashes: store.hashes,
      region: store.region,
    });
    const request = caller.isPresigned
      ? new WireRequest(this.#incoming, presignedHeaders(received))
      : received;
    const operation = this.#route(request, address);
    const body = new IncomingBody(
      this.#incoming,
      { request, caller },
      {
        hashes: store.hashes,
        stalls,
        documents,
        sendContinue: this.#isContinueOwed ? () => this.#sendContinue() : undefined,
      },
    );
    return primeReply(
      await runOperation(operation, {
        request,
        address,
        caller,
        store,
        body,
        signal: () => this.#signal(),
      }),
    );
  }

  #route(request: S3Request, address: Address): NonNullable<ReturnType<typeof findOperation>> {
    const level: Level = address.level;
    const name = routeRequest(request, level);
    this.#operation = name;
    const operation = findOperation(name);
    if (operation === undefined) {
      throw new S3Error("NotImplemented", undefined, { details: { Operation: name } });
    }
    return operation;
  }

  #sendContinue(): void {
    this.#isContinueOwed = false;
    this.#outgoing.writeContinue();
  }

  #signal(): AbortSignal {
    const controller = new AbortController();
    this.#outgoing.once("close", () => controller.abort());
    return controller.signal;
  }

  /** Whether what the client still sends, or will, is too much to read and drop for the sake of the connection. */
  #mustCut(): boolean {
    // botocore reads every later answer of a connection wrongly once a final one came instead of `100 Continue`.
    if (this.#isContinueOwed) return true;
    if (!hasBody(this.#incoming) || this.#incoming.complete) return false;
    const lengthBytes = contentLength(this.#incoming);
    return lengthBytes === undefined || lengthBytes > DISCARD_BYTES_MAX;
  }

  /** A connection that is cut while the client writes loses the answer: its bytes are dropped for a while first. */
  #linger(): Promise<void> {
    const incoming = this.#incoming;
    return new Promise((resolve) => {
      const timer = this.#options.store.clock.schedule(LINGER_MS, resolve);
      const finish = (): void => {
        timer.cancel();
        resolve();
      };
      incoming.once("end", finish).once("close", finish);
      this.#outgoing.once("close", finish);
      incoming.resume();
    });
  }
}

/** The socket is looked at only when somebody asks: making its object costs more than the rest of this. */
class WireRequest implements S3Request {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly query: S3Request["query"];
  readonly headers: S3Request["headers"];
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage, headers: S3Request["headers"]) {
    const { rawPath, rawQuery } = splitTarget(incoming.url ?? "");
    this.method = incoming.method ?? "";
    this.rawPath = rawPath;
    this.rawQuery = rawQuery;
    this.query = parseQuery(rawQuery);
    this.headers = headers;
    this.#incoming = incoming;
  }

  get rawHeaders(): readonly string[] {
    return this.#incoming.rawHeaders;
  }

  get remoteAddress(): string {
    return this.#incoming.socket.remoteAddress ?? "";
  }

  get isSecure(): boolean {
    // Plain sockets have the property too, as false.
    const { socket } = this.#incoming;
    return "encrypted" in socket && socket.encrypted === true;
  }
}

function splitAtQuery(target: string): string {
  const mark = target.indexOf("?");
  return mark === -1 ? target : target.slice(0, mark);
}

function ignoreError(): void {
  // The reader of the body, if there is one, has its own listener; without one there is nothing to tell.
}
