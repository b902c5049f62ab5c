import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";
import { signatureVersion2Refused } from "./authorization-header.ts";
import {
  ALGORITHM,
  type SignatureClaim,
  isSignatureHex,
  parseCredential,
  parseSignedHeaders,
} from "./credential.ts";

export interface PresignedClaim extends SignatureClaim {
  /** `20130524T000000Z`, not parsed yet. */
  readonly dateText: string;
  readonly expiresSec: number;
  /** Value of `X-Amz-Content-Sha256` in the query, if there. */
  readonly contentSha256: string | undefined;
}

/** Seven days: the longest life of a presigned URL. */
export const PRESIGNED_EXPIRES_SEC_MAX = 604_800;

const NAMES = [
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-SignedHeaders",
  "X-Amz-Signature",
  "X-Amz-Security-Token",
] as const;
const CONTENT_SHA256 = "X-Amz-Content-Sha256";
const LOWER_NAMES: ReadonlySet<string> = new Set(NAMES.map((name) => name.toLowerCase()));
const VERSION_2_NAMES: ReadonlySet<string> = new Set(["awsaccesskeyid", "signature"]);

/**
 * True when anything in the query speaks of credentials, complete or not, in any letter case: such a request is
 * never anonymous. Throws for the parameters of Signature Version 2.
 */
export function hasQueryCredentials(query: S3Request["query"]): boolean {
  let isPresent = false;
  for (const [name] of query) {
    const lower = name.toLowerCase();
    if (VERSION_2_NAMES.has(lower)) throw signatureVersion2Refused();
    if (LOWER_NAMES.has(lower)) isPresent = true;
  }
  return isPresent;
}

/** Throws `S3Error` `AuthorizationQueryParametersError` unless all parameters are there once and well formed. */
export function parsePresignedQuery(query: S3Request["query"]): PresignedClaim {
  const values = new Map<string, string>();
  for (const [name, value] of query) {
    if (!LOWER_NAMES.has(name.toLowerCase()) && name !== CONTENT_SHA256) continue;
    if (values.has(name)) throw malformed(`${name} is given more than once`);
    values.set(name, value);
  }
  if (required(values, "X-Amz-Algorithm") !== ALGORITHM) {
    throw malformed(`X-Amz-Algorithm must be ${ALGORITHM}`);
  }
  if (values.has("X-Amz-Security-Token")) {
    throw new S3Error("InvalidToken", "Security tokens are not issued by this store");
  }
  const credential = parseCredential(required(values, "X-Amz-Credential"));
  if (typeof credential === "string") throw malformed(credential);
  const signedHeadersText = required(values, "X-Amz-SignedHeaders");
  const signedHeaders = parseSignedHeaders(signedHeadersText);
  if (typeof signedHeaders === "string") throw malformed(signedHeaders);
  const signatureHex = required(values, "X-Amz-Signature");
  if (!isSignatureHex(signatureHex)) throw malformed("X-Amz-Signature must be 64 hex digits");
  return {
    credential,
    signedHeaders,
    signedHeadersText,
    signatureHex,
    dateText: required(values, "X-Amz-Date"),
    expiresSec: parseExpires(required(values, "X-Amz-Expires")),
    contentSha256: values.get(CONTENT_SHA256),
  };
}

function required(values: ReadonlyMap<string, string>, name: (typeof NAMES)[number]): string {
  const value = values.get(name);
  if (value === undefined || value === "") throw malformed(`${name} is missing`);
  return value;
}

function parseExpires(text: string): number {
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > PRESIGNED_EXPIRES_SEC_MAX) {
    throw malformed(`X-Amz-Expires must be 1 to ${PRESIGNED_EXPIRES_SEC_MAX} seconds`);
  }
  return seconds;
}

function malformed(reason: string): S3Error {
  return new S3Error("AuthorizationQueryParametersError", reason);
}
