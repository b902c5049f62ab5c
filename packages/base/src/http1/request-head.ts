import { COLON, CR, IS_TARGET, IS_TOKEN, IS_VALUE, LF, SLASH, SPACE, TAB } from "./characters.ts";
import { Http1Error } from "./http1-error.ts";
import { HEADER_LINES_MAX, METHOD_BYTES_MAX, TARGET_BYTES_MAX } from "./limits.ts";
import {
  type MutableHeaders,
  type RequestHeaders,
  lowerCaseName,
  newHeaders,
} from "./request-headers.ts";

/** Request line and header lines, as they came. */
export interface RequestHead {
  readonly method: string;
  /** The bytes between method and version, nothing decoded or normalised. */
  readonly target: string;
  /** HTTP/1.0 or a later HTTP/1. */
  readonly version: "1.0" | "1.1";
  readonly headers: RequestHeaders;
  /** Lower-case names and values by turns, a pair for each line. */
  readonly lines: readonly string[];
  /** Whether any name has several lines. */
  readonly hasRepeats: boolean;
}

/** Of two such lines one reader would go by the first and another by the last. */
const SINGLE_NAMES: ReadonlySet<string> = new Set([
  "authorization",
  "content-length",
  "expect",
  "host",
  "origin",
  "transfer-encoding",
]);

/**
 * Reads a head that lies in `[0, end)`, with the empty line at its end. Every byte is looked at once. Throws `Http1Error` for whatever RFC 9112 does not
 * allow: what another reader might read differently is not read here.
 */
export function parseRequestHead(bytes: Buffer, end: number): RequestHead {
  // One copy of all text: its parts are cut from it.
  const text = bytes.toString("latin1", 0, end);
  const methodEnd = skip(bytes, 0, IS_TOKEN);
  if (methodEnd === 0 || bytes[methodEnd] !== SPACE) throw malformed("request line");
  if (methodEnd > METHOD_BYTES_MAX) throw new Http1Error(501, "The method is not known");
  const targetStart = methodEnd + 1;
  const targetEnd = skip(bytes, targetStart, IS_TARGET);
  if (targetEnd === targetStart || bytes[targetEnd] !== SPACE) throw malformed("request line");
  if (targetEnd - targetStart > TARGET_BYTES_MAX) {
    throw new Http1Error(414, "The target of the request is too long");
  }
  const target = text.slice(targetStart, targetEnd);
  if (bytes[targetStart] !== SLASH && !OTHER_TARGET.test(target)) throw malformed("target");
  const lineEnd = targetEnd + 1 + VERSION_LENGTH;
  const version = versionOf(text.slice(targetEnd + 1, lineEnd));
  if (bytes[lineEnd] !== CR || bytes[lineEnd + 1] !== LF) throw malformed("request line");
  const lines: string[] = [];
  const headers = newHeaders();
  let hasRepeats = false;
  // Up to the empty line, and not to a CR that only begins like one.
  for (let at = lineEnd + 2; at < end - 2;) {
    if (lines.length >= 2 * HEADER_LINES_MAX) {
      throw new Http1Error(431, "There are too many header lines");
    }
    const colon = skip(bytes, at, IS_TOKEN);
    // Also a line that continues the one before it, and a space before the colon.
    if (colon === at || bytes[colon] !== COLON) throw malformed("name of a header");
    let start = colon + 1;
    while (isBlank(bytes[start])) start++;
    const stop = skip(bytes, start, IS_VALUE);
    if (bytes[stop] !== CR || bytes[stop + 1] !== LF) throw malformed("value of a header");
    let last = stop;
    while (last > start && isBlank(bytes[last - 1])) last--;
    const name = lowerCaseName(text.slice(at, colon));
    const value = text.slice(start, last);
    lines.push(name, value);
    if (headers[name] === undefined) headers[name] = value;
    else {
      hasRepeats = true;
      join(headers, name, value);
    }
    at = stop + 2;
  }
  checkHost(headers.host, version);
  return {
    method: text.slice(0, methodEnd),
    target,
    version,
    headers,
    lines,
    hasRepeats,
  };
}

/** The form with an authority, and that of `OPTIONS *` (RFC 9112 §3.2). Where no tunnels are made, no target is an authority alone. */
const OTHER_TARGET = /^(?:https?:\/\/.|\*$)/i;

const VERSION_LENGTH = "HTTP/1.1".length;

function versionOf(text: string): RequestHead["version"] {
  if (text === "HTTP/1.1") return "1.1";
  if (text === "HTTP/1.0") return "1.0";
  if (!/^HTTP\/\d\.\d$/.test(text)) throw malformed("version");
  // A later HTTP/1 is to be understood as the latest that is known (RFC 9110 §2.5).
  if (text.startsWith("HTTP/1.")) return "1.1";
  throw new Http1Error(505, "The version of HTTP is not spoken here");
}

/** The first offset from `at` whose byte is not in the table. The head ends with CR LF, which is in none. */
function skip(bytes: Uint8Array, at: number, table: Uint8Array): number {
  let end = at;
  while (table[bytes[end] ?? 0] === 1) end++;
  return end;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

function join(headers: MutableHeaders, name: string, value: string): void {
  if (SINGLE_NAMES.has(name)) throw new Http1Error(400, `The header ${name} is repeated`);
  headers[name] += name === "cookie" ? `; ${value}` : `, ${value}`;
}

function checkHost(host: string | undefined, version: RequestHead["version"]): void {
  if (host === undefined) {
    if (version === "1.0") return;
    throw new Http1Error(400, "The header host is missing");
  }
  if (!HOST.test(host)) throw malformed("host");
}

/** What a host and a port may be written with (RFC 3986 §3.2.2). */
const HOST = /^[A-Za-z0-9\-._~%!$&'()*+,;=:[\]]*$/;

function malformed(what: string): Http1Error {
  return new Http1Error(400, `The ${what} is malformed`);
}
