import { createHash, createHmac } from "node:crypto";
import type { Credentials } from "./server-process.ts";

const REGION = "us-east-1";
const EMPTY_HASH = sha256("");

/** What is to be asked for. The query is given as it will stand, encoded and sorted. */
export interface PlainRequest {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: string;
  readonly body?: Uint8Array;
  /** Known already: hashing gigabytes is not the client's to be measured for. */
  readonly bodySha256?: string;
}

type KeyPair = Pick<Credentials, "accessKey" | "secretKey">;

/** Makes whole requests of HTTP/1.1, signed with SigV4 over headers and body, ready to be written to a socket. */
export class RequestSigner {
  readonly #credentials: KeyPair;
  readonly #host: string;
  readonly #date: string;
  readonly #key: Buffer;

  constructor(credentials: KeyPair, port: number) {
    this.#credentials = credentials;
    this.#host = `127.0.0.1:${port}`;
    this.#date = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
    const day = hmac(`AWS4${credentials.secretKey}`, this.#date.slice(0, 8));
    this.#key = hmac(hmac(hmac(day, REGION), "s3"), "aws4_request");
  }

  /** Head and body in one buffer. */
  sign(request: PlainRequest): Buffer {
    const head = this.head(request, request.body?.length ?? 0);
    return request.body === undefined ? head : Buffer.concat([head, request.body]);
  }

  /** Head alone, for a body of known length and hash that follows. */
  head(request: PlainRequest, bodyBytes: number): Buffer {
    const hash =
      request.bodySha256 ?? (request.body === undefined ? EMPTY_HASH : sha256(request.body));
    const query = request.query ?? "";
    const canonical = [
      request.method,
      request.path,
      query,
      `host:${this.#host}`,
      `x-amz-content-sha256:${hash}`,
      `x-amz-date:${this.#date}`,
      "",
      "host;x-amz-content-sha256;x-amz-date",
      hash,
    ].join("\n");
    const scope = `${this.#date.slice(0, 8)}/${REGION}/s3/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${this.#date}\n${scope}\n${sha256(canonical)}`;
    const signature = createHmac("sha256", this.#key).update(text).digest("hex");
    const credential = `${this.#credentials.accessKey}/${scope}`;
    const length = request.method === "PUT" || request.method === "POST" ? bodyBytes : undefined;
    return Buffer.from(
      [
        `${request.method} ${request.path}${query === "" ? "" : `?${query}`} HTTP/1.1`,
        `Host: ${this.#host}`,
        `X-Amz-Date: ${this.#date}`,
        `X-Amz-Content-SHA256: ${hash}`,
        `Authorization: AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=${signature}`,
        ...(length === undefined ? [] : [`Content-Length: ${length}`]),
        "",
        "",
      ].join("\r\n"),
    );
  }
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
