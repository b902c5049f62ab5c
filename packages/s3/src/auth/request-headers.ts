import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";
import { canonicalHeaderValue } from "./canonical-text.ts";

/** Headers that would make two readings of one request possible if they came twice. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set(["authorization", "host"]);

/** Throws `InvalidRequest` when a header that decides who speaks, or to whom, is there more than once. */
export function refuseDuplicateHeaders(request: S3Request): void {
  if (!request.hasRepeats) return;
  const seen = new Set<string>();
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = (request.rawHeaders[at] ?? "").toLowerCase();
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) throw new S3Error("InvalidRequest", `The header ${name} is repeated`);
    seen.add(name);
  }
}

/**
 * A header added after signing would act without having been signed, so every `x-amz-` header must be covered.
 * `exempt` may be left out: it says nothing but how the body is checked. Throws `AccessDenied`.
 */
export function refuseUnsignedHeaders(
  headers: S3Request["headers"],
  signedHeaders: readonly string[],
  exempt: string | undefined,
): void {
  for (const name in headers) {
    if (!name.startsWith("x-amz-") || name === exempt) continue;
    if (headers[name] === undefined || signedHeaders.includes(name)) continue;
    throw new S3Error("AccessDenied", "There is an x-amz- header that was not signed", {
      details: { HeadersNotSigned: name },
    });
  }
}

/** `name:value\n` for each signed header, in the order signed. Throws when one is not there. */
export function canonicalHeaders(request: S3Request, signedHeaders: readonly string[]): string {
  const valueOf = request.hasRepeats ? joinedValue : singleValue;
  let text = "";
  for (const name of signedHeaders) {
    const value = valueOf(request, name);
    if (value === undefined) {
      throw new S3Error("SignatureDoesNotMatch", `The signed header ${name} is not in the request`);
    }
    text += `${name}:${value}\n`;
  }
  return text;
}

function singleValue(request: S3Request, name: string): string | undefined {
  const value = request.headers[name];
  return value === undefined ? undefined : canonicalHeaderValue(value);
}

/** Repeated lines are signed joined by a bare comma, which the parsed headers no longer show. */
function joinedValue(request: S3Request, name: string): string | undefined {
  let joined: string | undefined;
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const rawName = request.rawHeaders[at] ?? "";
    if (rawName.length !== name.length || rawName.toLowerCase() !== name) continue;
    const value = canonicalHeaderValue(request.rawHeaders[at + 1] ?? "");
    joined = joined === undefined ? value : `${joined},${value}`;
  }
  return joined;
}
