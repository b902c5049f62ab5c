import { S3Error } from "../errors.ts";
import {
  ALGORITHM,
  type SignatureClaim,
  isSignatureHex,
  parseCredential,
  parseSignedHeaders,
} from "./credential.ts";

/** Longer than any honest header of this form. */
const HEADER_LENGTH_MAX = 8192;

/**
 * Reads `AWS4-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…`.
 * Throws `S3Error`: `AuthorizationHeaderMalformed`, or `InvalidRequest` / `InvalidArgument` for another scheme.
 */
export function parseAuthorizationHeader(value: string): SignatureClaim {
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
  return { credential, signedHeaders, signatureHex };
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
