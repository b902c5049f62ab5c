import type { Clock } from "@kelp/base";
import { systemClock } from "@kelp/base/platform";
import type { AccessKeyId, KeyDirectory } from "@kelp/wire";
import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";

/** Makings of the tests of this folder and of `body`. */

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  /** In order; names may repeat. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** A request as the server builds it from a connection. */
export function requestOf(parts: RequestParts): S3Request {
  const headers: Record<string, string> = {};
  const rawHeaders: string[] = [];
  let hasRepeats = false;
  for (const [name, value] of parts.headers ?? []) {
    const lower = name.toLowerCase();
    const before = headers[lower];
    hasRepeats ||= before !== undefined;
    headers[lower] = before === undefined ? value : `${before}, ${value}`;
    rawHeaders.push(name, value);
  }
  const rawQuery = parts.query ?? "";
  return {
    method: parts.method ?? "GET",
    rawPath: parts.path ?? "/",
    rawQuery,
    query: rawQuery === "" ? [] : rawQuery.split("&").map(decodedPair),
    headers,
    rawHeaders,
    hasRepeats,
    remoteAddress: "127.0.0.1",
    isSecure: false,
  };
}

function decodedPair(piece: string): readonly [string, string] {
  const [name, ...rest] = piece.split("=");
  return [decodeURIComponent(name ?? ""), decodeURIComponent(rest.join("="))];
}

export function clockAt(ms: number): Clock {
  return { ...systemClock, nowMs: () => ms };
}

export function directoryOf(id: string, secret: string, name = "somebody"): KeyDirectory {
  const record = {
    id: id as AccessKeyId,
    secret,
    principal: { kind: "identity", name },
  } as const;
  return { findKey: (wanted) => (wanted === id ? record : undefined) };
}

/** The code of the `S3Error` that `run` throws, or "accepted". Any other error passes. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
  return "accepted";
}
