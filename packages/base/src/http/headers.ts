import type { RequestHeaders } from "../http1/index.ts";

/** The value of a header; several lines joined by commas. */
export function headerText(headers: RequestHeaders, name: string): string | undefined {
  return headers[name];
}

/** Header bytes arrive as Latin-1. Where they are UTF-8 in truth, this is their text; else they stay as they came. */
export function decodeHeaderText(value: string): string {
  if (ASCII.test(value)) return value;
  try {
    return strictUtf8.decode(Buffer.from(value, "latin1"));
  } catch (error) {
    if (error instanceof TypeError) return value;
    throw error;
  }
}

/** Text as header bytes: its UTF-8, one character a byte. */
export function encodeHeaderText(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** Whether text can stand in a header without breaking it (no control characters). */
export function isHeaderSafe(text: string): boolean {
  return !CONTROL.test(text);
}

// oxlint-disable-next-line no-control-regex -- control characters are what these look for
const ASCII = /^[\u0000-\u007f]*$/;
// oxlint-disable-next-line no-control-regex -- control characters are what these look for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });
