import { S3Error } from "../errors.ts";

/** A request target cut into its two halves, percent-encoding untouched. */
export interface Target {
  readonly rawPath: string;
  readonly rawQuery: string;
}

/**
 * Cuts a request target at its first `?`. The absolute form (`GET http://host/path`) loses its authority.
 * Nothing is normalised: `..`, `//` and `%2F` are parts of object keys. Throws `InvalidURI`.
 */
export function splitTarget(target: string): Target {
  const origin = target.startsWith("/") ? target : withoutAuthority(target);
  const hash = origin.indexOf("#");
  if (hash !== -1) throw new S3Error("InvalidURI");
  const mark = origin.indexOf("?");
  if (mark === -1) return { rawPath: origin, rawQuery: "" };
  return { rawPath: origin.slice(0, mark), rawQuery: origin.slice(mark + 1) };
}

function withoutAuthority(target: string): string {
  const match = /^https?:\/\/[^/?#]+/i.exec(target);
  if (match === null) throw new S3Error("InvalidURI");
  const rest = target.slice(match[0].length);
  if (rest.startsWith("/")) return rest;
  return `/${rest}`;
}

/** Names and values of a query in order, decoded; `+` stays a plus. Throws `InvalidURI` on broken encoding. */
export function parseQuery(rawQuery: string): readonly (readonly [name: string, value: string])[] {
  if (rawQuery === "") return NO_QUERY;
  const pairs: (readonly [string, string])[] = [];
  for (const piece of rawQuery.split("&")) {
    if (piece === "") continue;
    const equals = piece.indexOf("=");
    if (equals === -1) pairs.push([percentDecode(piece), ""]);
    else
      pairs.push([percentDecode(piece.slice(0, equals)), percentDecode(piece.slice(equals + 1))]);
  }
  return pairs;
}

const NO_QUERY: readonly (readonly [string, string])[] = [];

/** Decodes percent-encoded UTF-8, and nothing else. Throws `InvalidURI` on broken escapes or bytes that are no UTF-8. */
export function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new S3Error("InvalidURI", undefined, { cause });
  }
}

/** The form that `encoding-type=url` asks for: everything but unreserved characters and `/` becomes `%XX` of its UTF-8. */
export function percentEncode(text: string): string {
  if (PLAIN.test(text)) return text;
  return encodeURIComponent(text.toWellFormed())
    .replaceAll("%2F", "/")
    .replace(/[!'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

const PLAIN = /^[A-Za-z0-9\-_.~*/]*$/;
