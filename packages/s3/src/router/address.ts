import {
  type EntryPath,
  ENTRY_PATH_BYTES_MAX,
  type TreeName,
  parseBucketName,
  parseEntryPath,
} from "@kelp/wire";
import { percentDecode } from "../http/target.ts";
import { S3Error } from "../errors.ts";

/** What a request is about. */
export type Address =
  | { readonly level: "service" }
  | { readonly level: "bucket"; readonly bucket: string }
  | { readonly level: "object"; readonly bucket: string; readonly key: string };

/**
 * Bucket and key of a request, decoded: `/bucket/key`, or `/key` when the host is `bucket.` before one of `domains`
 * (lower case, without port). Slashes after the bucket's are the key's own. Throws `InvalidURI`.
 */
export function addressOf(
  rawPath: string,
  host: string | undefined,
  domains: readonly string[],
): Address {
  const hostBucket = domains.length === 0 ? undefined : bucketOfHost(host, domains);
  if (hostBucket !== undefined) {
    return rawPath === "/"
      ? { level: "bucket", bucket: hostBucket }
      : { level: "object", bucket: hostBucket, key: percentDecode(rawPath.slice(1)) };
  }
  if (rawPath === "/") return { level: "service" };
  const slash = rawPath.indexOf("/", 1);
  if (slash === -1 || slash === rawPath.length - 1) {
    const end = slash === -1 ? rawPath.length : slash;
    return { level: "bucket", bucket: percentDecode(rawPath.slice(1, end)) };
  }
  return {
    level: "object",
    bucket: percentDecode(rawPath.slice(1, slash)),
    key: percentDecode(rawPath.slice(slash + 1)),
  };
}

function bucketOfHost(host: string | undefined, domains: readonly string[]): string | undefined {
  if (host === undefined) return undefined;
  const name = host.toLowerCase().replace(/:\d+$/, "");
  for (const domain of domains) {
    if (name.length > domain.length + 1 && name.endsWith(`.${domain}`)) {
      return name.slice(0, -domain.length - 1);
    }
  }
  return undefined;
}

/** Throws `InvalidBucketName`. */
export function requireBucketName(text: string): TreeName {
  const name = parseBucketName(text);
  if (name !== undefined) return name;
  throw new S3Error("InvalidBucketName", undefined, { details: { BucketName: text } });
}

/** Throws `KeyTooLongError`, or `InvalidArgument` for a key that no entry can have. */
export function requireKey(text: string): EntryPath {
  const path = parseEntryPath(text);
  if (path !== undefined) return path;
  if (Buffer.byteLength(text) > ENTRY_PATH_BYTES_MAX) {
    throw new S3Error("KeyTooLongError", undefined, {
      details: {
        Size: String(Buffer.byteLength(text)),
        MaxSizeAllowed: String(ENTRY_PATH_BYTES_MAX),
      },
    });
  }
  throw new S3Error("InvalidArgument", "The object key is not valid");
}
