import { type Clock, type Hashes, hex } from "@kelp/base";
import type { AccessKeyId, KeyDirectory, Principal } from "@kelp/wire";
import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";
import { formatAmzDate, parseAmzDate } from "./amz-date.ts";
import { readAuthorizationHeader } from "./authorization-header.ts";
import { canonicalPath, canonicalQuery } from "./canonical-text.ts";
import { ChunkSigner } from "./chunk-signer.ts";
import { ALGORITHM, type Credential, type SignatureClaim } from "./credential.ts";
import { knownClaimsOf } from "./known-claims.ts";
import { type PayloadDeclaration, type PayloadMode, declaredPayload } from "./payload-mode.ts";
import { hasQueryCredentials, parsePresignedQuery } from "./presigned-query.ts";
import {
  canonicalHeaders,
  refuseDuplicateHeaders,
  refuseUnsignedHeaders,
} from "./request-headers.ts";
import { keepSigningKey, signingKeyOf } from "./signing-key.ts";

export interface AuthOptions {
  readonly keys: KeyDirectory;
  readonly clock: Clock;
  readonly hashes: Hashes;
  /** `any`: whatever region the client signs with. `strict`: only `name`. */
  readonly region: { readonly kind: "any" } | { readonly kind: "strict"; readonly name: string };
  /** Service names accepted in the scope; `["s3"]` when absent. */
  readonly services?: readonly string[];
}

export interface S3Caller {
  readonly principal: Principal;
  readonly keyId: AccessKeyId | undefined;
  readonly isPresigned: boolean;
  readonly payload: PayloadMode;
}

/** How far a signature's time may be from this clock, either way. */
const CLOCK_SKEW_MS_MAX = 15 * 60 * 1000;
const DEFAULT_SERVICES: readonly string[] = ["s3"];
const CONTENT_SHA256 = "x-amz-content-sha256";
const ANONYMOUS: Principal = { kind: "anonymous", name: "anonymous" };

/**
 * Proves who makes a request by Signature Version 4, in the header or in the query; nothing of the body is read.
 * The anonymous principal comes only from a request without any credentials. Throws `S3Error`:
 * `AccessDenied`, `AuthorizationHeaderMalformed`, `AuthorizationQueryParametersError`, `InvalidAccessKeyId`,
 * `InvalidArgument`, `InvalidRequest`, `InvalidToken`, `RequestTimeTooSkewed`, `SignatureDoesNotMatch`.
 * Synchronous; the cost is one SHA-256 and one HMAC once the signing key of the day is known.
 * Source: the S3 API reference, "Authenticating Requests (AWS Signature Version 4)".
 */
export function authenticate(request: S3Request, options: AuthOptions): S3Caller {
  refuseDuplicateHeaders(request);
  const { authorization } = request.headers;
  const isInQuery = request.rawQuery !== "" && hasQueryCredentials(request.query);
  if (authorization !== undefined) {
    if (isInQuery) {
      throw new S3Error("InvalidArgument", "Credentials are given in the header and in the query");
    }
    return fromHeader(request, authorization, options);
  }
  return isInQuery ? fromQuery(request, options) : anonymous(request);
}

function anonymous(request: S3Request): S3Caller {
  if (request.headers["x-amz-security-token"] !== undefined) throw tokenRefused();
  const declared = declaredPayload(request.headers, headerText(request, CONTENT_SHA256));
  if (declared.kind === "chunks-signed") {
    throw new S3Error("AccessDenied", "The body claims signed chunks, the request is not signed");
  }
  return { principal: ANONYMOUS, keyId: undefined, isPresigned: false, payload: declared };
}

function fromHeader(request: S3Request, authorization: string, options: AuthOptions): S3Caller {
  const known = knownClaimsOf(options.keys);
  const claim = readAuthorizationHeader(authorization, known);
  if (request.headers["x-amz-security-token"] !== undefined) throw tokenRefused();
  const timestamp = headerTimestamp(request);
  checkScope(claim.credential, timestamp, options, "AuthorizationHeaderMalformed");
  const skewMs = Math.abs(options.clock.nowMs() - timestamp.ms);
  if (skewMs > CLOCK_SKEW_MS_MAX) throw new S3Error("RequestTimeTooSkewed");
  const contentSha256 = headerText(request, CONTENT_SHA256);
  if (contentSha256 === undefined) {
    throw new S3Error("InvalidRequest", `The required header ${CONTENT_SHA256} is missing`);
  }
  refuseUnsignedHeaders(request.headers, claim.signedHeaders, undefined);
  const declared = declaredPayload(request.headers, contentSha256);
  const proof = { claim, timestamp, contentSha256, without: undefined, declared };
  const caller = prove(request, proof, options);
  if (claim.newHeadText !== undefined) known.keep(claim.newHeadText, claim.head);
  return caller;
}

function fromQuery(request: S3Request, options: AuthOptions): S3Caller {
  const claim = parsePresignedQuery(request.query);
  if (request.headers["x-amz-security-token"] !== undefined) throw tokenRefused();
  const ms = parseAmzDate(claim.dateText);
  if (ms === undefined) {
    throw new S3Error("AuthorizationQueryParametersError", "X-Amz-Date must be YYYYMMDDTHHMMSSZ");
  }
  const timestamp = { ms, text: claim.dateText };
  checkScope(claim.credential, timestamp, options, "AuthorizationQueryParametersError");
  const nowMs = options.clock.nowMs();
  if (ms - nowMs > CLOCK_SKEW_MS_MAX) {
    throw new S3Error("AccessDenied", "The request is not valid yet");
  }
  if (nowMs - ms > claim.expiresSec * 1000) {
    throw new S3Error("AccessDenied", "The request has expired");
  }
  refuseUnsignedHeaders(request.headers, claim.signedHeaders, CONTENT_SHA256);
  const inHeader = headerText(request, CONTENT_SHA256);
  const isHeaderSigned = claim.signedHeaders.includes(CONTENT_SHA256);
  const proven = claim.contentSha256 ?? (isHeaderSigned ? inHeader : undefined);
  if (proven !== undefined && inHeader !== undefined && proven !== inHeader) {
    throw new S3Error("InvalidRequest", `${CONTENT_SHA256} is given twice and differs`);
  }
  return prove(
    request,
    {
      claim,
      timestamp,
      contentSha256: proven ?? "UNSIGNED-PAYLOAD",
      without: "X-Amz-Signature",
      declared: declaredPayload(request.headers, proven ?? inHeader),
    },
    options,
  );
}

interface Proof {
  readonly claim: SignatureClaim;
  readonly timestamp: Timestamp;
  /** As it stands in the canonical request. */
  readonly contentSha256: string;
  /** The query parameter that is not signed. */
  readonly without: "X-Amz-Signature" | undefined;
  readonly declared: PayloadDeclaration;
}

function prove(request: S3Request, proof: Proof, options: AuthOptions): S3Caller {
  const { claim, timestamp } = proof;
  const { credential, signatureHex } = claim;
  const record = options.keys.findKey(credential.keyId);
  if (record === undefined) throw new S3Error("InvalidAccessKeyId");

  const canonical =
    `${request.method}\n${canonicalPath(request.rawPath)}\n` +
    `${canonicalQuery(request.rawQuery, proof.without)}\n` +
    `${canonicalHeaders(request, claim.signedHeaders)}\n` +
    `${claim.signedHeadersText}\n${proof.contentSha256}`;
  const stringToSign =
    `${ALGORITHM}\n${timestamp.text}\n${credential.scope}\n` +
    hex(options.hashes.digest("sha256", asOnWire(canonical)));
  const signingKey = signingKeyOf(record, credential, options.hashes);
  const expected = options.hashes.hmacSha256(signingKey, stringToSign);
  if (!options.hashes.equalInConstantTime(expected, Uint8Array.fromHex(signatureHex))) {
    throw new S3Error("SignatureDoesNotMatch");
  }
  keepSigningKey(record, credential, signingKey);
  return {
    principal: record.principal,
    keyId: record.id,
    isPresigned: proof.without !== undefined,
    payload: provenPayload(proof, signingKey, options.hashes),
  };
}

function provenPayload(proof: Proof, signingKey: Uint8Array, hashes: Hashes): PayloadMode {
  const { declared, claim, timestamp } = proof;
  if (declared.kind !== "chunks-signed") return declared;
  const signer = new ChunkSigner(
    {
      signingKey,
      timestamp: timestamp.text,
      scope: claim.credential.scope,
      signatureHex: claim.signatureHex,
    },
    hashes,
  );
  return { kind: "chunks-signed", signer, hasTrailer: declared.hasTrailer };
}

interface Timestamp {
  readonly ms: number;
  /** `20130524T000000Z`, as signed. */
  readonly text: string;
}

/** From `x-amz-date`, else from a signed `date`. */
function headerTimestamp(request: S3Request): Timestamp {
  const text = headerText(request, "x-amz-date") ?? request.headers.date;
  const basicMs = text === undefined ? undefined : parseAmzDate(text);
  if (text !== undefined && basicMs !== undefined) return { ms: basicMs, text };
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  if (Number.isNaN(ms) || request.headers["x-amz-date"] !== undefined) {
    throw new S3Error("AccessDenied", "A signed request needs a valid x-amz-date or date header");
  }
  return { ms, text: formatAmzDate(ms) };
}

function checkScope(
  credential: Credential,
  timestamp: Timestamp,
  options: AuthOptions,
  code: "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError",
): void {
  if (!timestamp.text.startsWith(credential.date)) {
    throw new S3Error(code, "The date of the credential scope is not the date of the request");
  }
  if (!(options.services ?? DEFAULT_SERVICES).includes(credential.service)) {
    throw new S3Error(code, "The service of the credential scope is not one of this door");
  }
  if (options.region.kind === "strict" && options.region.name !== credential.region) {
    throw new S3Error(
      code,
      `The region '${credential.region}' is wrong; expecting '${options.region.name}'`,
      {
        details: { Region: options.region.name },
      },
    );
  }
}

/** The canonical request as it was on the wire: header text is one byte a character unless a proxy re-decoded it. */
function asOnWire(canonical: string): Uint8Array | string {
  // All ASCII, whose UTF-8 is the same bytes: counting them costs a tenth of looking for another character.
  if (Buffer.byteLength(canonical) === canonical.length) return canonical;
  // oxlint-disable-next-line no-control-regex -- the range is all of Latin-1
  return /[^\u0000-\u00ff]/.test(canonical) ? canonical : Buffer.from(canonical, "latin1");
}

function headerText(request: S3Request, name: string): string | undefined {
  return request.headers[name];
}

function tokenRefused(): S3Error {
  return new S3Error("InvalidToken", "Security tokens are not issued by this store");
}
