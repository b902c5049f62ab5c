import type { AccessKeyId } from "@kelp/wire";

/** What a signature claims about itself, before any of it is proven. */
export interface SignatureClaim {
  readonly credential: Credential;
  /** Lower-case, strictly ascending, `host` among them. */
  readonly signedHeaders: readonly string[];
  /** The same as claimed, with semicolons between them. */
  readonly signedHeadersText: string;
  /** 64 lower-case hexadecimal digits. */
  readonly signatureHex: string;
}

export interface Credential {
  readonly keyId: AccessKeyId;
  /** `20130524` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** `20130524/us-east-1/s3/aws4_request` */
  readonly scope: string;
}

export const ALGORITHM = "AWS4-HMAC-SHA256";
/** A SHA-256 in hexadecimal digits. */
export const SIGNATURE_LENGTH = 64;
const TERMINATOR = "aws4_request";
/** Longest accepted credential: the longest key ids and region names in use are far below. */
const CREDENTIAL_LENGTH_MAX = 256;
const SIGNED_HEADERS_MAX = 64;

/** `AKIA…/20130524/us-east-1/s3/aws4_request`, or the sentence that says what is wrong with it. */
export function parseCredential(text: string): Credential | string {
  if (text.length > CREDENTIAL_LENGTH_MAX) return "The credential is too long";
  if (!isVisibleAscii(text)) return "The credential holds a character that is not allowed";
  const parts = text.split("/");
  const terminator = parts.pop();
  const service = parts.pop();
  const region = parts.pop();
  const date = parts.pop();
  // What is left is the key id: it may hold slashes of its own.
  const keyId = parts.join("/");
  if (date === undefined || region === undefined || service === undefined || keyId === "") {
    return "The credential must be <key id>/<date>/<region>/<service>/aws4_request";
  }
  if (terminator !== TERMINATOR) return `The credential scope must end in ${TERMINATOR}`;
  if (!/^\d{8}$/.test(date)) return "The date of the credential scope must be YYYYMMDD";
  if (region === "") return "The region of the credential scope is empty";
  return {
    keyId: keyId as AccessKeyId,
    date,
    region,
    service,
    scope: `${date}/${region}/${service}/${TERMINATOR}`,
  };
}

/** `host;x-amz-date`, or the sentence that says what is wrong with it. */
export function parseSignedHeaders(text: string): readonly string[] | string {
  const names = text.split(";");
  if (names.length > SIGNED_HEADERS_MAX) return "There are too many signed headers";
  let previous = "";
  for (const name of names) {
    if (name === "") return "The signed headers hold an empty name";
    if (name <= previous) return "The signed headers must be sorted, each named once";
    if (!isHeaderName(name)) return "The signed headers must be lower-case header names";
    previous = name;
  }
  return names.includes("host") ? names : "The host header must be signed";
}

export function isSignatureHex(text: string): boolean {
  return text.length === SIGNATURE_LENGTH && /^[0-9a-f]+$/.test(text);
}

function isVisibleAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return true;
}

/** Token characters of RFC 9110 that occur in lower-case names. */
function isHeaderName(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    const isLetter = code >= 0x61 && code <= 0x7a;
    const isDigit = code >= 0x30 && code <= 0x39;
    if (!isLetter && !isDigit && !"-_.!#$%&'*+^`|~".includes(name.charAt(at))) return false;
  }
  return true;
}
