import {
  allowsRange,
  decideRange,
  decideRead,
  encodeHeaderText,
  headerText,
  httpDate,
  isHeaderSafe,
} from "@kelp/base/http";
import type { RequestHeaders } from "@kelp/base/http1";
import type { ByteRange, Entry, EntryHead, EntryPath, TreeName } from "@kelp/wire";
import { objectArn, bucketArn } from "@kelp/wire";
import { STANDARD_HEADERS, addAttributeHeaders } from "../http/attributes.ts";
import { partCount, partRange } from "./part-sizes.ts";
import { unreachable } from "@kelp/base";
import { hasQuery, invalidArgument, queryValue } from "./query.ts";
import { noSuchBucket, noSuchKey, preconditionFailed } from "./refusals.ts";
import type { Access, ObjectCall, ReplyHeaders } from "./operation.ts";
import type { S3Request } from "../request.ts";
import { S3Error } from "../errors.ts";
import { addChecksumHeaders } from "./checksums.ts";

/** What GetObject and HeadObject share: everything but the bytes. */

export type ReadPlan<Found extends EntryHead> =
  | { readonly kind: "not-modified"; readonly headers: ReplyHeaders }
  | {
      readonly kind: "send";
      readonly status: 200 | 206;
      readonly headers: ReplyHeaders;
      readonly entry: Found;
      readonly range: ByteRange;
    };

export function readAccess(
  request: S3Request,
  bucket: TreeName,
  key: EntryPath,
): readonly Access[] {
  const action = hasQuery(request, "versionId") ? "s3:GetObjectVersion" : "s3:GetObject";
  return [{ action, resource: objectArn(bucket, key) }];
}

/** The entry of the call's object. A caller who may not list the bucket is not told that a key is absent. */
export async function requireEntry(call: ObjectCall): Promise<Entry> {
  const found = await call.store.filer.getEntry(call.bucket, call.key);
  return found.kind === "ok" ? found.value : refuseRead(call, found.refusal);
}

/** As `requireEntry`; the content is not read. */
export async function requireHead(call: ObjectCall): Promise<EntryHead> {
  const found = await call.store.filer.headEntry(call.bucket, call.key);
  return found.kind === "ok" ? found.value : refuseRead(call, found.refusal);
}

function refuseRead(call: ObjectCall, refusal: "no-such-tree" | "no-such-entry"): never {
  if (refusal === "no-such-tree") throw noSuchBucket(call.bucket);
  throw missingKey(call, call.bucket, call.key);
}

/** What to say of an absent key: 404 to those who may list the bucket, 403 to the others. */
export function missingKey(
  call: Pick<ObjectCall, "caller" | "store">,
  bucket: TreeName,
  key: string,
): S3Error {
  const decision = call.store.authorizer.authorize({
    principal: call.caller.principal,
    action: "s3:ListBucket",
    resource: bucketArn(bucket),
  });
  return decision.kind === "allow" ? noSuchKey(key) : new S3Error("AccessDenied");
}

/** Without versioning the one version of an object is called `null`. */
export function refuseOtherVersions(request: S3Request): void {
  const version = queryValue(request, "versionId");
  if (version !== undefined && version !== "null") throw new S3Error("NoSuchVersion");
}

/** What to answer a read of the object that `find` looks up. */
export async function planRead<Found extends EntryHead>(
  call: ObjectCall,
  find: (call: ObjectCall) => Promise<Found>,
): Promise<ReadPlan<Found>> {
  const { request } = call;
  refuseCustomerKeys(request.headers);
  refuseOtherVersions(request);
  const entry = await find(call);
  const headers = objectHeaders(entry);
  const decision = decideRead(request.headers, entry);
  if (decision.kind === "failed") throw preconditionFailed(decision.header);
  if (decision.kind === "not-modified") return { kind: "not-modified", headers };
  const range = chooseRange(request, entry, headers);
  const isWhole = range === undefined;
  if (isWhole && wantsChecksum(request.headers)) addChecksumHeaders(headers, entry.attributes);
  applyOverrides(call, headers);
  if (isWhole) {
    return { kind: "send", status: 200, headers, entry, range: { start: 0, end: entry.sizeBytes } };
  }
  if (range.end > range.start) {
    headers["Content-Range"] = `bytes ${range.start}-${range.end - 1}/${entry.sizeBytes}`;
  }
  return { kind: "send", status: 206, headers, entry, range };
}

/** Headers that tell of an object, checksums and ranges apart. */
function objectHeaders(entry: EntryHead): ReplyHeaders {
  const headers: ReplyHeaders = {
    ETag: `"${entry.etag}"`,
    "Last-Modified": httpDate(entry.modifiedMs),
    "Accept-Ranges": "bytes",
  };
  addAttributeHeaders(headers, entry.attributes);
  return headers;
}

function chooseRange(
  request: S3Request,
  entry: EntryHead,
  headers: ReplyHeaders,
): ByteRange | undefined {
  const rangeHeader = headerText(request.headers, "range");
  const partText = queryValue(request, "partNumber");
  if (partText !== undefined) {
    if (rangeHeader !== undefined) {
      throw new S3Error("InvalidRequest", "Range and partNumber cannot be combined");
    }
    return choosePart(partText, entry, headers);
  }
  if (rangeHeader === undefined || !allowsRange(request.headers, entry)) return undefined;
  const decision = decideRange(rangeHeader, entry.sizeBytes);
  switch (decision.kind) {
    case "whole":
      return undefined;
    case "range":
      return decision;
    case "unsatisfiable":
      throw new S3Error("InvalidRange", undefined, {
        details: { RangeRequested: rangeHeader, ActualObjectSize: String(entry.sizeBytes) },
      });
    default:
      return unreachable(decision);
  }
}

/** An object written in one go is its own part 1. */
function choosePart(partText: string, entry: EntryHead, headers: ReplyHeaders): ByteRange {
  const number = /^\d{1,5}$/.test(partText) ? Number(partText) : 0;
  if (number < 1) throw invalidArgument("partNumber", partText, "is not a part number");
  const count = partCount(entry.attributes);
  if (count !== undefined) headers["x-amz-mp-parts-count"] = String(count);
  if (count === undefined && number === 1) return { start: 0, end: entry.sizeBytes };
  const range = partRange(entry.attributes, number);
  if (range === undefined) {
    throw new S3Error("InvalidPartNumber", undefined, {
      details: { PartNumberRequested: partText, ActualPartCount: String(count ?? 1) },
    });
  }
  return range;
}

function wantsChecksum(headers: RequestHeaders): boolean {
  return headerText(headers, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED";
}

/** `response-*` parameters change headers of the answer, for signed requests only: anyone can write an anonymous link. */
function applyOverrides(call: ObjectCall, headers: ReplyHeaders): void {
  for (const [name, value] of call.request.query) {
    if (!name.startsWith("response-")) continue;
    const wireName = OVERRIDES.get(name);
    if (wireName === undefined) continue;
    if (call.caller.principal.kind === "anonymous") {
      throw new S3Error(
        "InvalidRequest",
        "Response headers of anonymous requests cannot be changed",
      );
    }
    if (!isHeaderSafe(value)) throw invalidArgument(name, "", "holds control characters");
    headers[wireName] = encodeHeaderText(value);
  }
}

const OVERRIDES: ReadonlyMap<string, string> = new Map(
  STANDARD_HEADERS.map((name) => [
    `response-${name}`,
    name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()),
  ]),
);

function refuseCustomerKeys(headers: RequestHeaders): void {
  if (headers["x-amz-server-side-encryption-customer-algorithm"] === undefined) return;
  throw new S3Error("NotImplemented", "Encryption with customer keys is not implemented");
}
