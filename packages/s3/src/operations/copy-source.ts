import { decideRead, headerText } from "@kelp/base/http";
import { type ByteRange, type Entry, type EntryPath, type TreeName, objectArn } from "@kelp/wire";
import type { Body } from "@kelp/base";
import type { Access, ObjectCall } from "./operation.ts";
import { noSuchBucket, preconditionFailed } from "./refusals.ts";
import { requireBucketName, requireKey } from "../router/address.ts";
import type { S3Request } from "../request.ts";
import { S3Error } from "../errors.ts";
import { missingKey } from "./object-read.ts";
import { writeAccess } from "./write-access.ts";
import { percentDecode } from "../http/target.ts";

/** The object that a copy reads: `[/]bucket/key[?versionId=…]`, percent-encoded as a path is. */
export interface CopySource {
  readonly bucket: TreeName;
  readonly key: EntryPath;
  readonly versionId: string | undefined;
}

/** Throws `InvalidArgument` when the header names no object. */
export function parseCopySource(request: S3Request): CopySource {
  const header = headerText(request.headers, "x-amz-copy-source") ?? "";
  const mark = header.indexOf("?versionId=");
  const path = mark === -1 ? header : header.slice(0, mark);
  const versionId = mark === -1 ? undefined : header.slice(mark + "?versionId=".length);
  const decoded = percentDecode(path);
  const full = decoded.startsWith("/") ? decoded.slice(1) : decoded;
  const slash = full.indexOf("/");
  if (slash <= 0 || slash === full.length - 1) {
    throw new S3Error("InvalidArgument", "Copy source must name a bucket and a key", {
      details: { ArgumentName: "x-amz-copy-source" },
    });
  }
  return {
    bucket: requireBucketName(full.slice(0, slash)),
    key: requireKey(full.slice(slash + 1)),
    versionId,
  };
}

/** Reading the source and writing the target are two permissions. */
export function copyAccess(
  request: S3Request,
  bucket: TreeName,
  key: EntryPath,
): readonly Access[] {
  const source = parseCopySource(request);
  return [
    ...writeAccess("s3:PutObject")(request, bucket, key),
    {
      action: source.versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion",
      resource: objectArn(source.bucket, source.key),
    },
  ];
}

/** The source's entry, its conditions met. */
export async function requireSource(call: ObjectCall, source: CopySource): Promise<Entry> {
  if (source.versionId !== undefined && source.versionId !== "null") {
    throw new S3Error("NoSuchVersion");
  }
  const { filer } = call.store;
  const tree = await filer.getTree(source.bucket);
  if (tree?.kind !== "bucket") throw noSuchBucket(source.bucket);
  const expectedOwner = headerText(call.request.headers, "x-amz-source-expected-bucket-owner");
  if (expectedOwner !== undefined && expectedOwner !== tree.owner) {
    throw new S3Error("AccessDenied");
  }
  const found = await filer.getEntry(source.bucket, source.key);
  if (found.kind === "refused") {
    if (found.refusal === "no-such-tree") throw noSuchBucket(source.bucket);
    throw missingKey(call, source.bucket, source.key);
  }
  const decision = decideRead(call.request.headers, found.value, "x-amz-copy-source-");
  if (decision.kind !== "proceed") throw preconditionFailed("x-amz-copy-source-If-");
  return found.value;
}

/** The source's bytes; without a stream when they stand in the entry. */
export function sourceBody(call: ObjectCall, entry: Entry, range: ByteRange): Body {
  return entry.content.kind === "inline"
    ? entry.content.bytes.subarray(range.start, range.end)
    : call.store.filer.readFile(entry, range, { pieces: "lent" });
}
