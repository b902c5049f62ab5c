import { type Hashes, utf8 } from "@kelp/base";

/** JSON Web Tokens (RFC 7519) of the one kind that is used here: HS256, with an end. */

/** Longer than any honest one. */
const TOKEN_LENGTH_MAX = 4096;
const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");

export type Claims = Readonly<Record<string, unknown>>;

export interface VerifiedClaims {
  readonly claims: Claims;
  /** From then on the token is not valid. */
  readonly expiresMs: number;
}

export function signToken(
  claims: Claims,
  key: string,
  about: { readonly expiresMs: number; readonly hashes: Hashes },
): string {
  const payload = JSON.stringify({ ...claims, exp: Math.floor(about.expiresMs / 1000) });
  const signed = `${HEADER}.${Buffer.from(payload).toString("base64url")}`;
  const signature = about.hashes.hmacSha256(utf8(key), signed);
  return `${signed}.${Buffer.from(signature).toString("base64url")}`;
}

/**
 * `undefined` for anything but a token that this key signed and that is valid now. What the header names as its
 * algorithm is compared, never obeyed; a token without an end is refused, since nobody could take it back.
 */
export function verifyToken(
  token: string,
  key: string,
  about: { readonly nowMs: number; readonly hashes: Hashes },
): VerifiedClaims | undefined {
  if (key === "" || token.length > TOKEN_LENGTH_MAX) return undefined;
  const match = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token);
  const [, headerText, payloadText, signatureText] = match ?? [];
  if (headerText === undefined || payloadText === undefined || signatureText === undefined) {
    return undefined;
  }
  const expected = about.hashes.hmacSha256(utf8(key), `${headerText}.${payloadText}`);
  const presented = Buffer.from(signatureText, "base64url");
  if (!about.hashes.equalInConstantTime(presented, expected)) return undefined;
  const header = parseObject(headerText);
  // An extension that must be understood is not (RFC 7515 §4.1.11).
  if (header?.["alg"] !== "HS256" || "crit" in header) return undefined;
  const claims = parseObject(payloadText);
  if (claims === undefined) return undefined;
  const expiresMs = seconds(claims["exp"]);
  if (expiresMs === undefined || about.nowMs >= expiresMs) return undefined;
  if ("nbf" in claims && !((seconds(claims["nbf"]) ?? Infinity) <= about.nowMs)) return undefined;
  return { claims, expiresMs };
}

function seconds(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value * 1000 : undefined;
}

function parseObject(base64url: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64url, "base64url").toString("utf8"));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return value as Claims;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
