import type { ByteStream } from "../body.ts";
import type { HttpRequest } from "./http-request.ts";
import type { HeldShare } from "./stall-watch.ts";

export type ReplyHeaders = Record<string, string>;

/** What a handler answers. The door adds what every answer has, and sends no body where the protocol has none. */
export type HttpReply =
  | {
      readonly kind: "bytes";
      readonly status: number;
      readonly headers: ReplyHeaders;
      readonly body: Uint8Array | string;
      /** Called when the last byte was handed to the socket, or the client is gone. */
      readonly onSent?: () => void;
      /** What the answer holds until then. */
      readonly share?: HeldShare;
    }
  | {
      /** Exactly `sizeBytes` bytes; pieces may be lent. */
      readonly kind: "stream";
      readonly status: number;
      readonly headers: ReplyHeaders;
      readonly sizeBytes: number;
      readonly stream: ByteStream;
      /** What the stream holds at a time. */
      readonly share?: HeldShare;
    }
  | {
      /** Text that is made while it is sent, of a length nobody knows yet. */
      readonly kind: "text-stream";
      readonly status: number;
      readonly headers: ReplyHeaders;
      readonly pieces: AsyncIterable<string>;
    };

export function emptyReply(status: number, headers: ReplyHeaders = {}): HttpReply {
  return { kind: "bytes", status, headers, body: "" };
}

export function textReply(status: number, text: string): HttpReply {
  return {
    kind: "bytes",
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8" },
    body: text,
  };
}

/** JSON on one line, or indented where the request says `pretty=y`. */
export function jsonReply(
  request: Pick<HttpRequest, "query">,
  status: number,
  value: unknown,
  headers: ReplyHeaders = {},
): HttpReply {
  const body = request.query.has("pretty")
    ? `${JSON.stringify(value, undefined, "  ")}\n`
    : JSON.stringify(value);
  headers["Content-Type"] = "application/json";
  return { kind: "bytes", status, headers, body };
}
