import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { RequestError, getRequestListener } from "@hono/node-server";
import type { Log, Service } from "@kelp/base";
import type { GateRequest, PeopleGate, PeopleHandler } from "@kelp/wire";
import { listenError } from "./listen-error.ts";

/** Header lines of one request must have arrived within this; bodies may take their time. */
const HEADERS_TIMEOUT_MS = 30_000;
/** Browsers keep connections; a proxy in front usually gives up after 60 s and must not be the second to know. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const CONNECTIONS_MAX = 1024;
/** While draining, connections that became idle are looked for this often. */
const IDLE_CHECK_MS = 50;

export interface PeopleDoorOptions {
  readonly gate: PeopleGate;
  /** Chooses who answers, by the path of the request. */
  readonly route: (path: string) => PeopleHandler;
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly log: Log;
}

/** The port of the console and the pipelines API: HTTP in, gate, handler, HTTP out. */
export class PeopleDoor implements Service {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Resolves when the port answers. Throws `StartError` when it cannot be had. */
  static async open(options: PeopleDoorOptions): Promise<PeopleDoor> {
    const listener = requestListener(options);
    const server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: 0,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      },
      (incoming, outgoing) => {
        // The listener answers its own failures; what still escapes is a bug and ends in the log.
        listener(incoming, outgoing).catch((error: unknown) => {
          options.log.error("A request of the console door was lost", { error });
          outgoing.destroy();
        });
      },
    );
    server.maxConnections = CONNECTIONS_MAX;
    const port = await listen(server, options);
    return new PeopleDoor(server, port);
  }

  async drain(signal: AbortSignal): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    const idle = setInterval(() => this.#server.closeIdleConnections(), IDLE_CHECK_MS);
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([closed, aborted]);
    clearInterval(idle);
  }

  stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function requestListener(
  options: PeopleDoorOptions,
): (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void> {
  return getRequestListener(
    async (request, env) => {
      const repeated = repeatedHeader(env.incoming.rawHeaders);
      if (repeated !== undefined) {
        const message = `The header ${repeated} is repeated`;
        return Response.json({ code: "bad-request", message }, { status: 400 });
      }
      const gateRequest = gateRequestOf(env.incoming);
      const admission = await options.gate.admit(gateRequest);
      const { pathname } = new URL(request.url);
      return options.route(pathname)(request, admission, gateRequest);
    },
    {
      overrideGlobalObjects: false,
      errorHandler: (error) => {
        // A host or path that is none: the client's doing, so that nobody can fill the log with it.
        if (error instanceof RequestError) {
          return Response.json({ code: "bad-request", message: error.message }, { status: 400 });
        }
        options.log.error("A request of the console door failed", { error });
        return Response.json(
          { code: "internal", message: "The server failed; its log tells more" },
          { status: 500 },
        );
      },
    },
  );
}

/** Headers that the gate decides by; of two, one reader would take the first and another the last. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set(["authorization", "host", "origin"]);

function repeatedHeader(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/** What the gate needs to know, taken from the connection itself. */
function gateRequestOf(incoming: {
  readonly method?: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly socket: {
    readonly remoteAddress?: string | undefined;
    readonly remotePort?: number | undefined;
    readonly localAddress?: string | undefined;
    readonly localPort?: number | undefined;
  };
}): GateRequest {
  const { socket } = incoming;
  return {
    method: incoming.method ?? "GET",
    headers: incoming.headers,
    remoteAddress: socket.remoteAddress ?? "",
    remotePort: socket.remotePort ?? 0,
    localAddress: socket.localAddress ?? "",
    localPort: socket.localPort ?? 0,
    connection: socket,
  };
}

function listen(server: Server, options: PeopleDoorOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const { address, port } = options;
      reject(listenError(error, { name: "console", address, port, flag: "--console.port" }));
    });
    server.listen({ host: options.address, port: options.port }, () => {
      const bound = server.address();
      resolve(bound !== null && typeof bound === "object" ? bound.port : options.port);
    });
  });
}
