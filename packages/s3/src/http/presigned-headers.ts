import type { RequestHeaders } from "@kelp/base/http1";
import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";

/** Parameters of the signature itself; they are no headers. */
const SIGNATURE_NAMES: ReadonlySet<string> = new Set([
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-expires",
  "x-amz-signedheaders",
  "x-amz-signature",
  "x-amz-security-token",
  "x-amz-content-sha256",
]);

/**
 * The headers of a presigned request with those that its signer moved into the query, as some SDKs do with metadata and access
 * lists: to overlook them would be to store less than was asked, or what was asked not to be stored. Throws `InvalidRequest` when
 * the query and a header disagree, or when the query names a copy source, which a link to upload must not smuggle in.
 */
export function presignedHeaders(request: S3Request): RequestHeaders {
  let headers: Record<string, string | undefined> | undefined;
  for (const [name, value] of request.query) {
    const lower = name.toLowerCase();
    if (!lower.startsWith("x-amz-") || SIGNATURE_NAMES.has(lower)) continue;
    if (lower.startsWith("x-amz-copy-source")) {
      throw new S3Error("InvalidRequest", `${lower} is taken from a signed header only`);
    }
    // Header text is one byte a character, whatever it encodes.
    const text = Buffer.from(value).toString("latin1");
    headers ??= { ...request.headers };
    if (headers[lower] !== undefined && headers[lower] !== text) {
      throw new S3Error("InvalidRequest", `${lower} differs between query and header`);
    }
    headers[lower] = text;
  }
  return headers ?? request.headers;
}
