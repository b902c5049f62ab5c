import type { StallWatch } from "@kelp/base/http";
import {
  type Http1Error,
  type Http1Exchange,
  type Http1Limits,
  Http1Server,
  type RefusalBody,
} from "@kelp/base/http1";
import {
  type Clock,
  type Foreground,
  type Hashes,
  type Log,
  type PortSharing,
  type Random,
  Semaphore,
  type Service,
  type TcpNetwork,
  hex,
} from "@kelp/base";
import type { Authorizer, Filer, KeyDirectory } from "@kelp/wire";
import {
  CONNECTIONS_MAX,
  DISCARD_BYTES_MAX,
  DOCUMENTS_AT_ONCE_MAX,
  HEADERS_TIMEOUT_MS,
  HEADER_BYTES_MAX,
  KEEP_ALIVE_TIMEOUT_MS,
  LINGER_MS,
} from "../limits.ts";
import { S3Error } from "../errors.ts";
import type { Region } from "../operations/operation.ts";
import { errorDocument } from "./error-reply.ts";
import { Exchange, type ExchangeOptions } from "./exchange.ts";

export interface S3ServerOptions {
  readonly filer: Filer;
  readonly authorizer: Authorizer;
  readonly keys: KeyDirectory;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  readonly log: Log;
  readonly network: TcpNetwork;
  /** Address to listen on, such as `127.0.0.1`. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** `shared` by processes that serve the door together. */
  readonly sharing?: PortSharing;
  readonly region: Region;
  /** Host names before which a bucket's name may stand (virtual-host style), lower case, without port. */
  readonly domains?: readonly string[];
  /** Told of each request. */
  readonly foreground?: Foreground | undefined;
}

/** A listening S3 door. */
export interface S3Server extends Service {
  /** The port that is really listened on. */
  readonly port: number;
}

const LIMITS: Http1Limits = {
  connectionsMax: CONNECTIONS_MAX,
  headBytesMax: HEADER_BYTES_MAX,
  headTimeoutMs: HEADERS_TIMEOUT_MS,
  keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS,
  unreadBytesMax: DISCARD_BYTES_MAX,
  lingerMs: LINGER_MS,
};

/** Opens the S3 door. Resolves when it listens; rejects with the system's error when it cannot. */
export function openS3Server(options: S3ServerOptions): Promise<S3Server> {
  const requests = new S3Requests(options);
  return Http1Server.open({
    network: options.network,
    address: options.host,
    port: options.port,
    sharing: options.sharing,
    limits: LIMITS,
    clock: options.clock,
    log: options.log,
    foreground: options.foreground,
    handle: (exchange, inFlight, stalls) => requests.serve(exchange, inFlight, stalls),
    describeRefusal: (error) => requests.describeRefusal(error),
  });
}

/** Gives each request its id and what it shares with the others. */
class S3Requests {
  readonly #options: Omit<ExchangeOptions, "stalls">;
  readonly #requestIdPrefix: string;
  /** Made with the first request: the server is one, and so is its watch. */
  #shared: ExchangeOptions | undefined;
  #requestCount = 0;

  constructor(options: S3ServerOptions) {
    this.#requestIdPrefix = hex(options.random.bytes(4)).toUpperCase();
    this.#options = {
      store: {
        filer: options.filer,
        authorizer: options.authorizer,
        clock: options.clock,
        hashes: options.hashes,
        log: options.log,
        region: options.region,
      },
      keys: options.keys,
      domains: options.domains ?? [],
      documents: new Semaphore(DOCUMENTS_AT_ONCE_MAX),
      hostId: hex(options.random.bytes(16)),
    };
  }

  serve(exchange: Http1Exchange, inFlight: number, stalls: StallWatch): Promise<void> {
    this.#shared ??= { ...this.#options, stalls };
    const turn = { requestId: this.#nextRequestId(), inFlight };
    return new Exchange(exchange, this.#shared).run(turn);
  }

  /** Of what was no request: nothing is known but the reason. */
  describeRefusal({ message }: Http1Error): RefusalBody {
    const error = new S3Error("BadRequest", message);
    const about = { rawPath: "", requestId: this.#nextRequestId(), hostId: this.#options.hostId };
    return { mediaType: "application/xml", text: errorDocument(error, about) };
  }

  /** Unique in this process and unlikely to be met in another: 8 random digits, then a counter. */
  #nextRequestId(): string {
    this.#requestCount = (this.#requestCount + 1) % 0x1_0000_0000;
    return this.#requestIdPrefix + this.#requestCount.toString(16).toUpperCase().padStart(8, "0");
  }
}
