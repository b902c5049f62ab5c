import type { RequestHeaders } from "../http1/index.ts";
import { parseHttpDate } from "./dates.ts";
import { headerText } from "./headers.ts";

/** What conditions are weighed against. */
export interface Validators {
  /** Without quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
}

export type ReadDecision =
  | { readonly kind: "proceed" }
  | { readonly kind: "not-modified" }
  | { readonly kind: "failed"; readonly header: string };

const PROCEED: ReadDecision = { kind: "proceed" };

interface ConditionNames {
  readonly match: string;
  readonly unmodified: string;
  readonly noneMatch: string;
  readonly modified: string;
}

function namesWith(prefix: string): ConditionNames {
  return {
    match: `${prefix}if-match`,
    unmodified: `${prefix}if-unmodified-since`,
    noneMatch: `${prefix}if-none-match`,
    modified: `${prefix}if-modified-since`,
  };
}

/** Names made anew are looked up slowly. */
const PLAIN_NAMES = namesWith("");

/** The four conditions of a read, in the order of RFC 9110 §13.2.2. `prefix` stands before the names of the headers. */
export function decideRead(
  headers: RequestHeaders,
  current: Validators,
  prefix = "",
): ReadDecision {
  const names = prefix === "" ? PLAIN_NAMES : namesWith(prefix);
  const ifMatch = headerText(headers, names.match);
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, current.etag)) return { kind: "failed", header: "If-Match" };
  } else {
    const since = headerDate(headers, names.unmodified);
    if (since !== undefined && wholeSecond(current.modifiedMs) > since) {
      return { kind: "failed", header: "If-Unmodified-Since" };
    }
  }
  const ifNoneMatch = headerText(headers, names.noneMatch);
  if (ifNoneMatch !== undefined) {
    return matchesEtag(ifNoneMatch, current.etag) ? { kind: "not-modified" } : PROCEED;
  }
  const since = headerDate(headers, names.modified);
  if (since !== undefined && wholeSecond(current.modifiedMs) <= since)
    return { kind: "not-modified" };
  return PROCEED;
}

/** `If-Range`: whether a range may be answered as one (RFC 9110 §13.1.5). */
export function allowsRange(headers: RequestHeaders, current: Validators): boolean {
  const ifRange = headerText(headers, "if-range");
  if (ifRange === undefined) return true;
  const date = parseHttpDate(ifRange);
  if (date !== undefined) return wholeSecond(current.modifiedMs) === date;
  return !ifRange.startsWith("W/") && matchesEtag(ifRange, current.etag);
}

function matchesEtag(header: string, etag: string): boolean {
  // The usual header is this one ETag in quotes.
  if (header === `"${etag}"`) return true;
  return splitEtags(header).some((candidate) => candidate === "*" || candidate === etag);
}

/** ETags without quotes and weakness marks. Clients also send them bare. */
export function splitEtags(header: string): string[] {
  return header.split(",").map((piece) => {
    const trimmed = piece.trim();
    const strong = trimmed.startsWith("W/") ? trimmed.slice(2) : trimmed;
    return strong.startsWith('"') && strong.endsWith('"') && strong.length >= 2
      ? strong.slice(1, -1)
      : strong;
  });
}

function headerDate(headers: RequestHeaders, name: string): number | undefined {
  const text = headerText(headers, name);
  return text === undefined ? undefined : parseHttpDate(text);
}

function wholeSecond(timeMs: number): number {
  return timeMs - (timeMs % 1000);
}
