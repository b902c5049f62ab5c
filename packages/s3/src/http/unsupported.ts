import { headerText } from "@kelp/base/http";
import type { RequestHeaders } from "@kelp/base/http1";
import { S3Error } from "../errors.ts";

/** Headers that ask for what this store does not do. To ignore one would be to promise it. */
const UNSUPPORTED_PREFIXES = [
  "x-amz-server-side-encryption",
  "x-amz-copy-source-server-side-encryption",
  "x-amz-object-lock-",
  "x-amz-grant-",
] as const;
const UNSUPPORTED_NAMES: ReadonlySet<string> = new Set([
  "x-amz-tagging",
  "x-amz-website-redirect-location",
  "x-amz-write-offset-bytes",
  "x-amz-if-match-last-modified-time",
  "x-amz-if-match-size",
  "x-amz-bypass-governance-retention",
  "x-amz-mfa",
  "x-amz-rename-source",
]);
/** With access control lists off, as in every new bucket of S3, these two say nothing new. */
const TOLERATED_ACLS: ReadonlySet<string> = new Set(["private", "bucket-owner-full-control"]);

/** Throws `NotImplemented` when a request asks for encryption, locks, tags, access lists or redirects. */
export function refuseUnsupportedHeaders(headers: RequestHeaders): void {
  for (const name in headers) {
    // An empty header asks for nothing: s3fs sends one with every upload.
    if (!name.startsWith("x-amz-") || headers[name] === "") continue;
    if (
      UNSUPPORTED_NAMES.has(name) ||
      UNSUPPORTED_PREFIXES.some((prefix) => name.startsWith(prefix))
    ) {
      throw notImplementedHeader(name);
    }
  }
  const acl = headerText(headers, "x-amz-acl");
  if (acl !== undefined && acl !== "" && !TOLERATED_ACLS.has(acl))
    throw notImplementedHeader("x-amz-acl");
  refuseStorageClass(headers);
}

/** Only `STANDARD` exists; accepting another name would claim a durability or price that is not there. */
function refuseStorageClass(headers: RequestHeaders): void {
  const storageClass = headerText(headers, "x-amz-storage-class");
  if (storageClass !== undefined && storageClass !== "" && storageClass !== "STANDARD") {
    throw new S3Error("InvalidStorageClass");
  }
}

export function notImplementedHeader(name: string): S3Error {
  return new S3Error("NotImplemented", undefined, { details: { Header: name } });
}
