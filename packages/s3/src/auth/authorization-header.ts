import { S3Error } from "../errors.ts";
import {
  ALGORITHM,
  SIGNATURE_LENGTH,
  type SignatureClaim,
  isSignatureHex,
  parseCredential,
  parseSignedHeaders,
} from "./credential.ts";
import type { ClaimHead, KnownClaims } from "./known-claims.ts";

/** Longer than any honest header of this form. */
const HEADER_LENGTH_MAX = 8192;

/** A claim read from a header, and what of it may be known the next time. */
export interface HeaderClaim extends SignatureClaim {
  readonly head: ClaimHead;
  /** The text before the signature, when that comes last; `undefined` when it does not, or is known already. */
  readonly newHeadText: string | undefined;
}

/** As `parseAuthorizationHeader`, parsing no more than the signature where all before it is known. */
export function readAuthorizationHeader(value: string, known: KnownClaims): HeaderClaim {
  const head = known.find(value, SIGNATURE_LENGTH);
  if (head !== undefined) {
    const signatureHex = value.slice(-SIGNATURE_LENGTH);
    // Digits alone end the header as they ended the known one; with anything else it has to be read anew.
    if (isSignatureHex(signatureHex)) {
      const { credential, signedHeaders, signedHeadersText } = head;
      return {
        credential,
        signedHeaders,
        signedHeadersText,
        signatureHex,
        head,
        newHeadText: undefined,
      };
    }
  }
  const claim = parseAuthorizationHeader(value);
  const { signatureHex, ...parsed } = claim;
  const isLast = value.endsWith(`Signature=${signatureHex}`);
  return {
    ...claim,
    head: parsed,
    newHeadText: isLast ? value.slice(0, -SIGNATURE_LENGTH) : undefined,
  };
}

/**
 * Reads `AWS4-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…`.
 * Throws `S3Error`: `AuthorizationHeaderMalformed`, or `InvalidRequest` / `InvalidArgument` for another scheme.
 */
function parseAuthorizationHeader(value: string): SignatureClaim {
  if (value.length > HEADER_LENGTH_MAX) throw malformed("It is too long");
  const space = value.indexOf(" ");
  const scheme = space < 0 ? value : value.slice(0, space);
  if (scheme !== ALGORITHM) throw otherScheme(scheme);

  let credentialText: string | undefined;
  let signedHeadersText: string | undefined;
  let signatureHex: string | undefined;
  for (const part of value.slice(space + 1).split(",")) {
    const trimmed = part.trim();
    const equals = trimmed.indexOf("=");
    const name = equals < 0 ? trimmed : trimmed.slice(0, equals);
    const text = trimmed.slice(equals + 1);
    if (name === "Credential" && credentialText === undefined) credentialText = text;
    else if (name === "SignedHeaders" && signedHeadersText === undefined) signedHeadersText = text;
    else if (name === "Signature" && signatureHex === undefined) signatureHex = text;
    else throw malformed("It must hold Credential, SignedHeaders and Signature, each once");
  }
  if (credentialText === undefined) throw malformed("The Credential is missing");
  if (signedHeadersText === undefined) throw malformed("The SignedHeaders are missing");
  if (signatureHex === undefined) throw malformed("The Signature is missing");

  const credential = parseCredential(credentialText);
  if (typeof credential === "string") throw malformed(credential);
  const signedHeaders = parseSignedHeaders(signedHeadersText);
  if (typeof signedHeaders === "string") throw malformed(signedHeaders);
  if (!isSignatureHex(signatureHex)) throw malformed("The Signature must be 64 hex digits");
  return { credential, signedHeaders, signedHeadersText, signatureHex };
}

function malformed(reason: string): S3Error {
  return new S3Error(
    "AuthorizationHeaderMalformed",
    `The authorization header is malformed. ${reason}`,
  );
}

function otherScheme(scheme: string): S3Error {
  if (scheme === "") return new S3Error("AccessDenied", "The authorization header is empty");
  if (scheme === "AWS") return signatureVersion2Refused();
  if (scheme.startsWith("AWS4-")) {
    return new S3Error("InvalidRequest", `Sign with ${ALGORITHM}: other algorithms are refused`);
  }
  return new S3Error("InvalidArgument", `The authorization type is not supported: ${ALGORITHM} is`);
}

export function signatureVersion2Refused(): S3Error {
  return new S3Error(
    "InvalidRequest",
    `Signature Version 2 is refused. Please use Signature Version 4 (${ALGORITHM}); for presigned addresses ` +
      'boto3 takes Config(signature_version="s3v4"), ' +
      "the AWS CLI: aws configure set default.s3.signature_version s3v4",
  );
}
