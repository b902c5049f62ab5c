/** Which bytes may stand where in a head (RFC 9110 §5.6.2, §5.5; RFC 9112 §3.2). */

const TOKEN_PUNCTUATION = "!#$%&'*+-.^_`|~";

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;

function table(isAllowed: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isAllowed(byte) ? 1 : 0));
}

/** Methods and names of headers. */
export const IS_TOKEN = table(
  (byte) =>
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    TOKEN_PUNCTUATION.includes(String.fromCharCode(byte)),
);

/** Request targets: everything visible, whatever a URL would make of it. */
export const IS_TARGET = table((byte) => byte > 0x20 && byte < 0x7f);

/** Values of headers: no control character but the tab. */
export const IS_VALUE = table((byte) => byte === TAB || (byte >= 0x20 && byte !== 0x7f));

/** The value of a hexadecimal digit; -1 for any other byte. */
export function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
