import { expect } from "bun:test";
import { hex, utf8 } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { canonicalQuery } from "../auth/canonical-text.ts";
import { type AuthOptions, authenticate } from "../auth/index.ts";
import { deriveSigningKey } from "../auth/signing-key.ts";
import { type RequestParts, clockAt, codeOf, directoryOf, requestOf } from "../auth/testing.ts";
import { S3Error } from "../errors.ts";

/** Requests with one thing wrong: signed as described, and what becomes of them. */

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const DATE = "20260102T030405Z";
export const ID = "AKIDEXAMPLE";
export const SECRET = "example-secret";
export const OPTIONS: AuthOptions = {
  keys: directoryOf(ID, SECRET),
  clock: clockAt(NOW_MS),
  hashes: systemHashes,
  region: { kind: "any" },
};
/** SHA-256 of nothing. */
export const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export type Header = readonly [name: string, value: string];

/** What is unusual about a request. */
export interface Sketch {
  readonly headers?: readonly Header[];
  /** Sent, but not signed. */
  readonly unsigned?: readonly Header[];
  readonly signedHeaders?: string;
  readonly credential?: string;
  readonly date?: string;
  readonly query?: string;
  readonly signature?: string;
  /** What stands in the canonical request. */
  readonly contentSha256?: string;
}

/** The signature of a GET of `/bucket/key`, in hexadecimal. */
export function sign(
  sketch: Sketch,
  query: string,
  headers: readonly Header[],
  names: string,
): string {
  const { credential = `${ID}/20260102/us-east-1/s3/aws4_request`, date = DATE } = sketch;
  const [, day = "", region = "", service = ""] = credential.split("/");
  const lines = names.split(";").map((name) => {
    const values = headers
      .filter(([sent]) => sent.toLowerCase() === name)
      .map(([, value]) => value);
    return `${name}:${values.join(",")}\n`;
  });
  const canonical = `GET\n/bucket/key\n${query}\n${lines.join("")}\n${names}\n${sketch.contentSha256 ?? EMPTY}`;
  const scope = credential.slice(credential.indexOf("/") + 1);
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hex(systemHashes.digest("sha256", utf8(canonical)))}`;
  const key = deriveSigningKey(SECRET, { date: day, region, service }, systemHashes);
  return hex(systemHashes.hmacSha256(key, text));
}

/** Signed in its `Authorization`. */
export function inHeader(sketch: Sketch): RequestParts {
  const headers: Header[] = [
    ["Host", "store:8333"],
    ["x-amz-content-sha256", EMPTY],
    ["x-amz-date", sketch.date ?? DATE],
    ...(sketch.headers ?? []),
  ];
  const names =
    sketch.signedHeaders ??
    [...new Set(headers.map(([name]) => name.toLowerCase()))].sort().join(";");
  const query = canonicalQuery(sketch.query ?? "", undefined);
  const signature = sketch.signature ?? sign(sketch, query, headers, names);
  const credential = sketch.credential ?? `${ID}/20260102/us-east-1/s3/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return {
    path: "/bucket/key",
    query: sketch.query ?? "",
    headers: [...headers, ...(sketch.unsigned ?? []), ["Authorization", authorization]],
  };
}

/** Signed in its query, whose `parameters` replace those of a right one. */
export function inQuery(
  sketch: Sketch,
  parameters: Readonly<Record<string, string>> = {},
): RequestParts {
  const headers: Header[] = [["Host", "store:8333"], ...(sketch.headers ?? [])];
  const names = sketch.signedHeaders ?? headers.map(([name]) => name.toLowerCase()).join(";");
  const values: Readonly<Record<string, string>> = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": sketch.credential ?? `${ID}/20260102/us-east-1/s3/aws4_request`,
    "X-Amz-Date": sketch.date ?? DATE,
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": names,
    ...parameters,
  };
  const query = Object.entries(values)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
  const toSign = { contentSha256: "UNSIGNED-PAYLOAD", ...sketch };
  const signature = sign(toSign, canonicalQuery(query, undefined), headers, names);
  return {
    path: "/bucket/key",
    query: `${query}&X-Amz-Signature=${sketch.signature ?? signature}${sketch.query ?? ""}`,
    headers: [...headers, ...(sketch.unsigned ?? [])],
  };
}

/** The same for a client never seen before and for one whose claims are known. */
export function outcome(parts: RequestParts, options = OPTIONS): string {
  const once = { ...options, keys: directoryOf(ID, SECRET) };
  const code = codeOf(() => authenticate(requestOf(parts), once));
  authenticate(requestOf(inHeader({})), OPTIONS);
  authenticate(requestOf(inHeader({})), OPTIONS);
  const again = { ...options, keys: OPTIONS.keys };
  expect(codeOf(() => authenticate(requestOf(parts), again))).toBe(code);
  return code;
}

/** The refusal that `run` throws. */
export function caught(run: () => unknown): S3Error {
  try {
    run();
  } catch (error) {
    if (error instanceof S3Error) return error;
  }
  throw new Error("expected a refusal");
}
