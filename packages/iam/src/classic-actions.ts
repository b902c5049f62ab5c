import { type Statement, bucketArn, objectArn } from "@kelp/wire";
import { IamError } from "./errors.ts";
import { PATTERN_LENGTH_MAX } from "./limits.ts";

/**
 * The classic action names of SeaweedFS, each with the S3 actions that it grants. `Admin` is apart: it grants
 * everything. Creating a bucket takes `Admin`, as it does there.
 */
const GRANTS: Readonly<Record<string, readonly string[]>> = {
  Read: [
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:GetObjectAttributes",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectTagging",
    "s3:GetObjectVersionTagging",
    "s3:HeadObject",
    "s3:HeadBucket",
    "s3:GetBucketLocation",
    "s3:GetBucketVersioning",
  ],
  Write: [
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:ListBucketMultipartUploads",
  ],
  List: [
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
    "s3:ListAllMyBuckets",
    "s3:HeadBucket",
    "s3:GetBucketLocation",
  ],
  Tagging: [
    "s3:GetObjectTagging",
    "s3:GetObjectVersionTagging",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersionTagging",
    "s3:GetBucketTagging",
    "s3:PutBucketTagging",
  ],
  ReadAcp: ["s3:GetObjectAcl", "s3:GetObjectVersionAcl", "s3:GetBucketAcl"],
  WriteAcp: ["s3:PutObjectAcl", "s3:PutObjectVersionAcl", "s3:PutBucketAcl"],
  DeleteBucket: ["s3:DeleteBucket"],
  BypassGovernanceRetention: ["s3:BypassGovernanceRetention"],
  GetObjectRetention: ["s3:GetObjectRetention"],
  PutObjectRetention: ["s3:PutObjectRetention"],
  GetObjectLegalHold: ["s3:GetObjectLegalHold"],
  PutObjectLegalHold: ["s3:PutObjectLegalHold"],
  GetBucketObjectLockConfiguration: ["s3:GetBucketObjectLockConfiguration"],
  PutBucketObjectLockConfiguration: ["s3:PutBucketObjectLockConfiguration"],
  PutBucketPolicy: ["s3:PutBucketPolicy"],
  DeleteBucketPolicy: ["s3:DeleteBucketPolicy"],
};

const CLASSIC_ACTIONS: readonly string[] = ["Admin", ...Object.keys(GRANTS)];

/**
 * The statement that `Read`, `Read:bucket` or `Read:bucket/prefix*` stands for. Without a scope it holds everywhere;
 * a bucket is that bucket and all in it, and no other that only begins so; a key is exactly that key unless it holds
 * wildcards. Throws `IamError` `unknown-action`.
 */
export function classicStatement(text: string): Statement {
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const scope = colon < 0 ? undefined : text.slice(colon + 1);
  if (name === "Admin") {
    return scope === undefined || scope === "*"
      ? { effect: "Allow", actions: ["*"], resources: ["*"] }
      : { effect: "Allow", actions: ["s3:*"], resources: resourcesOf(scope) };
  }
  const actions = Object.hasOwn(GRANTS, name) ? GRANTS[name] : undefined;
  if (actions === undefined) {
    throw new IamError(
      "unknown-action",
      `Cannot grant this action: it is none of ${CLASSIC_ACTIONS.join(", ")}`,
    );
  }
  return { effect: "Allow", actions, resources: resourcesOf(scope ?? "*") };
}

function resourcesOf(scope: string): readonly string[] {
  if (!isScope(scope)) {
    throw new IamError("unknown-action", "Cannot grant this action: its scope cannot be read");
  }
  if (scope === "*") return [bucketArn("*")];
  const slash = scope.indexOf("/");
  if (slash >= 0) return [objectArn(scope.slice(0, slash), scope.slice(slash + 1))];
  return [bucketArn(scope), objectArn(scope, "*")];
}

/** A bucket, with wildcards if need be, and what follows the slash free of control characters. */
function isScope(scope: string): boolean {
  if (scope.length > PATTERN_LENGTH_MAX || scope.includes("${")) return false;
  const slash = scope.indexOf("/");
  const bucket = slash < 0 ? scope : scope.slice(0, slash);
  const key = slash < 0 ? "*" : scope.slice(slash + 1);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return /^[A-Za-z0-9.*?_-]+$/.test(bucket) && key.length > 0 && !/[\u0000-\u001f\u007f]/.test(key);
}
