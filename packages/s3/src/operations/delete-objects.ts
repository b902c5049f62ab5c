import { headerText } from "@kelp/base/http";
import type { RequestHeaders } from "@kelp/base/http1";
import type { XmlElement } from "@rgrove/parse-xml";
import { DELETE_KEYS_MAX, objectArn, parseEntryPath } from "@kelp/wire";
import { type BucketCall, type Operation, xmlReply } from "./operation.ts";
import { childText, childrenNamed, malformed, parseDocument } from "../xml/parse.ts";
import { conditionFailed, noSuchBucket, toS3Error } from "./refusals.ts";
import { element, optionalElement, xmlDocument } from "../xml/builder.ts";
import { S3Error } from "../errors.ts";
import { matchCondition } from "../http/conditions.ts";
import { refuseUnsupportedHeaders } from "../http/unsupported.ts";

/** Deletions that wait for one commit together. The store gathers concurrent changes into one transaction. */
const DELETES_AT_ONCE_MAX = 100;

interface Target {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly etag: string | undefined;
  readonly hasOtherCondition: boolean;
}

/** Each key is authorised for itself: what the caller may not delete is an error in the answer, not of the request. */
export const deleteObjects: Operation = {
  level: "bucket",
  name: "DeleteObjects",
  access: () => [],
  async handle(call) {
    refuseUnsupportedHeaders(call.request.headers);
    const { bytes, verified } = await call.body.document();
    if (verified.length === 0 && !namesIntegrity(call.request.headers)) {
      throw new S3Error("InvalidRequest", "Content-MD5 or a checksum of the body is required");
    }
    const root = parseDocument(bytes, "Delete");
    const targets = parseTargets(root);
    const isQuiet = childText(root, "Quiet")?.trim().toLowerCase() === "true";
    const lines: string[] = [];
    for (let at = 0; at < targets.length; at += DELETES_AT_ONCE_MAX) {
      const group = targets.slice(at, at + DELETES_AT_ONCE_MAX);
      const outcomes = await Promise.all(group.map((target) => deleteOne(call, target)));
      for (const [index, outcome] of outcomes.entries()) {
        const target = group[index];
        if (target === undefined) continue;
        if (outcome !== undefined) lines.push(errorLine(target, outcome));
        else if (!isQuiet) lines.push(deletedLine(target));
      }
    }
    return xmlReply(xmlDocument("DeleteResult", lines.join("")));
  },
};

function parseTargets(root: XmlElement): readonly Target[] {
  const objects = childrenNamed(root, "Object");
  if (objects.length === 0) throw malformed("there is no Object");
  if (objects.length > DELETE_KEYS_MAX) throw malformed("there are too many Objects");
  return objects.map((object) => {
    const key = childText(object, "Key");
    if (key === undefined || key === "") throw malformed("an Object has no Key");
    return {
      key,
      versionId: childText(object, "VersionId"),
      etag: childText(object, "ETag"),
      hasOtherCondition:
        childText(object, "LastModifiedTime") !== undefined ||
        childText(object, "Size") !== undefined,
    };
  });
}

/** `undefined` when the object is gone now, or was never there. */
async function deleteOne(call: BucketCall, target: Target): Promise<S3Error | undefined> {
  const { key, versionId } = target;
  const actions = [versionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion"];
  // A matching ETag tells of the object what only its readers may know.
  if (target.etag !== undefined) actions.push("s3:GetObject");
  for (const action of actions) {
    const decision = call.store.authorizer.authorize({
      principal: call.caller.principal,
      action,
      resource: objectArn(call.bucket, key),
    });
    if (decision.kind === "deny") return new S3Error("AccessDenied");
  }
  if (versionId !== undefined && versionId !== "null") return new S3Error("NoSuchVersion");
  if (target.hasOtherCondition) return new S3Error("NotImplemented");
  const path = parseEntryPath(key);
  if (path === undefined) return new S3Error("KeyTooLongError");
  try {
    const deleted = await call.store.filer.deleteEntry({
      tree: call.bucket,
      path,
      ...(target.etag !== undefined && { condition: matchCondition(target.etag) }),
    });
    if (deleted.kind === "ok") return undefined;
    if (deleted.refusal === "no-such-tree") return noSuchBucket(call.bucket);
    return conditionFailed(deleted.refusal, key);
  } catch (error) {
    // The other keys have their own outcomes, so that a failing store is told per key as well.
    call.store.log.error("Cannot delete object", { bucket: call.bucket, error });
    return toS3Error(error);
  }
}

function deletedLine(target: Target): string {
  return `<Deleted>${element("Key", target.key)}${optionalElement("VersionId", target.versionId)}</Deleted>`;
}

function errorLine(target: Target, error: S3Error): string {
  const version = optionalElement("VersionId", target.versionId);
  return `<Error>${element("Key", target.key)}${version}${element("Code", error.code)}${element("Message", error.message)}</Error>`;
}

/** Checksums of kinds that are not known here count as given, as with uploads: newer clients choose them. */
function namesIntegrity(headers: RequestHeaders): boolean {
  if (headerText(headers, "content-md5") !== undefined) return true;
  for (const name in headers) {
    if (name.startsWith("x-amz-checksum-") && !NO_CHECKSUMS.has(name)) return true;
  }
  return false;
}

const NO_CHECKSUMS: ReadonlySet<string> = new Set([
  "x-amz-checksum-algorithm",
  "x-amz-checksum-mode",
  "x-amz-checksum-type",
]);
