import { type IncomingHttpHeaders, request } from "node:http";
import { type Socket, connect } from "node:net";
import { type AccessKeyId, type AccessRequest, type Decision, type Principal } from "@kelp/wire";
import { systemClock, systemHashes, systemRandom, systemTcpNetwork } from "@kelp/base/platform";
import { type MemoryFiler, createMemoryFiler } from "./memory-filer.ts";
import { type S3Server, type S3ServerOptions, openS3Server } from "../server/server.ts";
import { type Log, silentLog } from "@kelp/base";

/** An S3 door on a port of its own over a filer in memory, for tests over real sockets. */
export interface TestDoor extends AsyncDisposable {
  readonly server: S3Server;
  readonly filer: MemoryFiler;
  readonly port: number;
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  /** Writes text on a fresh connection and gives what came back until the server closed it, or `until` appears. */
  raw(text: string | Uint8Array, until?: string): Promise<string>;
  connect(): Promise<Socket>;
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array;
  readonly text: string;
}

export const TEST_KEY = { id: "test-key", secret: "test-secret" };

const allowAll = (): Decision => ({ kind: "allow" });

/** Without options every caller, the anonymous one too, may do everything. */
export async function openTestDoor(
  options: {
    readonly authorize?: (request: AccessRequest) => Decision;
    readonly log?: Log;
    readonly pieceBytes?: number;
    readonly server?: Partial<S3ServerOptions>;
  } = {},
): Promise<TestDoor> {
  const filer = createMemoryFiler({
    hashes: systemHashes,
    nowMs: () => systemClock.nowMs(),
    ...(options.pieceBytes !== undefined && { pieceBytes: options.pieceBytes }),
  });
  const principal: Principal = { kind: "identity", name: "tester" };
  const server = await openS3Server({
    filer,
    authorizer: { authorize: options.authorize ?? allowAll },
    keys: {
      findKey: (id) =>
        id === TEST_KEY.id
          ? { id: TEST_KEY.id as AccessKeyId, secret: TEST_KEY.secret, principal }
          : undefined,
    },
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
    log: options.log ?? silentLog,
    network: systemTcpNetwork,
    host: "127.0.0.1",
    port: 0,
    region: { kind: "any" },
    ...options.server,
  });
  const { port } = server;
  return {
    server,
    filer,
    port,
    send: (method, path, sendOptions) => send(port, { method, path, ...sendOptions }),
    raw: (text, until) => raw(port, text, until),
    connect: () => open(port),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function send(
  port: number,
  what: SendOptions & { readonly method: string; readonly path: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = what.body === undefined ? undefined : Buffer.from(what.body);
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        method: what.method,
        path: what.path,
        agent: false,
        headers: {
          ...(body !== undefined && { "content-length": String(body.length) }),
          ...what.headers,
        },
      },
      (incoming) => {
        const pieces: Uint8Array[] = [];
        incoming.on("data", (piece: Uint8Array) => pieces.push(piece));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const bytes = Buffer.concat(pieces);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            bytes,
            text: bytes.toString("utf8"),
          });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

async function raw(
  port: number,
  text: string | Uint8Array,
  until: string | undefined,
): Promise<string> {
  const socket = await open(port);
  return new Promise((resolve) => {
    let received = "";
    const finish = (): void => {
      socket.destroy();
      resolve(received);
    };
    socket.on("data", (piece: Buffer) => {
      received += piece.toString("latin1");
      if (until !== undefined && received.includes(until)) finish();
    });
    socket.on("error", finish);
    socket.on("close", finish);
    socket.write(text);
  });
}
