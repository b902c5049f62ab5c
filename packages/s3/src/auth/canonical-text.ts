/**
 * Canonical encodings of Signature Version 4, byte by byte on what stood on the wire. Nothing is decoded to text and
 * back, so a broken escape or a byte sequence that is no UTF-8 keeps its identity.
 */

/** 1 for the unreserved characters of RFC 3986: they stand for themselves, all other bytes as `%XX`. */
const UNRESERVED = new Uint8Array(256);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~") {
  UNRESERVED[character.charCodeAt(0)] = 1;
}
const SLASH = 0x2f;
const PERCENT = 0x25;
const HEX_DIGITS = "0123456789ABCDEF";

/** Slashes stand; nothing is merged, resolved or encoded twice. */
export function canonicalPath(rawPath: string): string {
  return canonicalPiece(rawPath, "with-slashes");
}

/** Pairs sorted by encoded name, then encoded value; the pair named `without` is left out. */
export function canonicalQuery(rawQuery: string, without: string | undefined): string {
  if (rawQuery.length === 0) return "";
  const pairs: (readonly [name: string, value: string])[] = [];
  for (const piece of rawQuery.split("&")) {
    if (piece.length === 0) continue;
    const equals = piece.indexOf("=");
    const name = canonicalPiece(equals < 0 ? piece : piece.slice(0, equals), "strict");
    if (name === without) continue;
    pairs.push([name, equals < 0 ? "" : canonicalPiece(piece.slice(equals + 1), "strict")]);
  }
  if (pairs.length > 1) pairs.sort(comparePairs);
  let text = "";
  for (const [name, value] of pairs) text += `${text.length === 0 ? "" : "&"}${name}=${value}`;
  return text;
}

/** Outer spaces gone, inner runs of spaces made one. */
export function canonicalHeaderValue(value: string): string {
  const trimmed = needsTrim(value) ? value.trim() : value;
  return trimmed.includes("  ") ? trimmed.replaceAll(/ +/g, " ") : trimmed;
}

function canonicalPiece(raw: string, slashes: "with-slashes" | "strict"): string {
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    if (UNRESERVED[code] === 1 || (code === SLASH && slashes === "with-slashes")) continue;
    return raw.slice(0, at) + encodeFrom(raw, at, slashes);
  }
  return raw;
}

function encodeFrom(raw: string, start: number, slashes: "with-slashes" | "strict"): string {
  let text = "";
  for (let at = start; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    if (UNRESERVED[code] === 1 || (code === SLASH && slashes === "with-slashes")) {
      text += raw.charAt(at);
      continue;
    }
    const escaped = code === PERCENT ? escapedByte(raw, at) : -1;
    if (escaped >= 0) at += 2;
    const byte = escaped >= 0 ? escaped : code;
    if (escaped >= 0 && UNRESERVED[byte] === 1) text += String.fromCharCode(byte);
    else if (byte <= 0xff) text += percent(byte);
    else for (const part of Buffer.from(raw.charAt(at))) text += percent(part);
  }
  return text;
}

/** The byte that `%XX` at `at` stands for, or −1 when that is no escape. */
function escapedByte(raw: string, at: number): number {
  const high = hexValue(raw.charCodeAt(at + 1));
  const low = hexValue(raw.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function percent(byte: number): string {
  return `%${HEX_DIGITS.charAt(byte >>> 4)}${HEX_DIGITS.charAt(byte & 15)}`;
}

function comparePairs(
  left: readonly [string, string],
  right: readonly [string, string],
): -1 | 0 | 1 {
  if (left[0] !== right[0]) return left[0] < right[0] ? -1 : 1;
  if (left[1] === right[1]) return 0;
  return left[1] < right[1] ? -1 : 1;
}

function needsTrim(value: string): boolean {
  return value.charCodeAt(0) <= 0x20 || value.charCodeAt(value.length - 1) <= 0x20;
}
