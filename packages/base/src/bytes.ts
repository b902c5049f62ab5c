/** Bytes in and out of text, and joined. All functions return fresh buffers unless they say otherwise. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: false });

export const EMPTY_BYTES = new Uint8Array(0);

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes UTF-8; broken sequences become U+FFFD. */
export function utf8Text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}

export function base64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/** Decodes strict base64; `undefined` when `text` is not exactly that. */
export function parseBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  return Buffer.from(text, "base64");
}

/** One buffer with all parts; the part itself, uncopied, when there is exactly one. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const first = parts[0];
  if (first === undefined) return EMPTY_BYTES;
  if (parts.length === 1) return first;
  return Buffer.concat(parts);
}

/** Order of memcmp: negative, zero or positive. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  return Buffer.compare(left, right);
}
