import { createHash, createHmac } from "node:crypto";
import { connect } from "node:net";

/** Requests byte for byte as a hostile client would send them, signed from the protocol's description. */
export interface SignedRequest {
  readonly method: string;
  /** As on the wire, percent-encoding included. */
  readonly path: string;
  /** In canonical order, each name with its `=`. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Value of `x-amz-content-sha256`; the hash of the body when absent. */
  readonly payload?: string;
}

export interface KeyPair {
  readonly id: string;
  readonly secret: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  /** The code of an S3 error; empty without one. */
  readonly code: string;
}

export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** All headers of the request, lower case, `authorization` among them. */
export function signHeaders(request: SignedRequest, key: KeyPair, host: string) {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const headers: Record<string, string> = {
    host,
    "x-amz-content-sha256": request.payload ?? sha256Hex(request.body ?? ""),
    "x-amz-date": time,
    ...request.headers,
  };
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${(headers[name] ?? "").trim()}\n`).join("");
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const canonical = `${request.method}\n${request.path}\n${request.query ?? ""}\n${lines}\n${names.join(";")}\n${headers["x-amz-content-sha256"]}`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256Hex(canonical)}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.id}/${scope},SignedHeaders=${names.join(";")},Signature=${signatureOf(key, scope, text)}`;
  return { ...headers, authorization };
}

/** A presigned target that signs nothing but the host. */
export function presignTarget(request: SignedRequest, key: KeyPair, host: string): string {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const query = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`${key.id}/${scope}`)}`,
    `X-Amz-Date=${time}`,
    "X-Amz-Expires=300",
    "X-Amz-SignedHeaders=host",
  ].join("&");
  const canonical = `${request.method}\n${request.path}\n${query}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256Hex(canonical)}`;
  return `${request.path}?${query}&X-Amz-Signature=${signatureOf(key, scope, text)}`;
}

function signatureOf(key: KeyPair, scope: string, text: string): string {
  let derived: string | Buffer = `AWS4${key.secret}`;
  for (const part of scope.split("/")) {
    derived = createHmac("sha256", derived).update(part).digest();
  }
  return createHmac("sha256", derived).update(text).digest("hex");
}

/** Sends a signed request on a connection of its own. */
export function sendSigned(url: string, request: SignedRequest, key: KeyPair): Promise<RawAnswer> {
  const target = request.path + (request.query === undefined ? "" : `?${request.query}`);
  const headers = signHeaders(request, key, new URL(url).host);
  return sendRaw(url, { method: request.method, target, headers, body: request.body ?? "" });
}

/** Sends exactly this; `Content-Length` and `Connection: close` are added. */
export function sendRaw(
  url: string,
  request: {
    readonly method: string;
    readonly target: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  },
): Promise<RawAnswer> {
  const body = Buffer.from(request.body ?? "");
  const lines = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${request.method} ${request.target} HTTP/1.1\r\n${lines.join("")}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", reject);
    socket.on("data", (piece: Buffer) => pieces.push(piece));
    socket.on("close", () => resolve(readAnswer(Buffer.concat(pieces).toString())));
    socket.write(Buffer.concat([Buffer.from(head, "latin1"), body]));
  });
}

function readAnswer(received: string): RawAnswer {
  const end = received.indexOf("\r\n\r\n");
  const text = received.slice(end + 4);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0),
    text,
    code: /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? "",
  };
}
