import { headerText } from "@kelp/base/http";
import { type BucketNameCall, type Operation, type Region, emptyReply } from "./operation.ts";
import { DEFAULT_REGION, locationAttributes, locationOf, regionName } from "./location.ts";
import { childText, parseDocument } from "../xml/parse.ts";
import type { RequestHeaders } from "@kelp/base/http1";
import { S3Error } from "../errors.ts";
import { bucketArn } from "@kelp/wire";
import { notImplementedHeader, refuseUnsupportedHeaders } from "../http/unsupported.ts";

export const createBucket: Operation = {
  level: "bucket-name",
  name: "CreateBucket",
  access: (_request, bucket) => [{ action: "s3:CreateBucket", resource: bucketArn(bucket) }],
  async handle(call) {
    refuseBucketHeaders(call.request.headers);
    const location = await readLocation(call);
    const owner = call.caller.principal.name;
    const { filer, region } = call.store;
    const created = await filer.createTree({
      name: call.bucket,
      kind: "bucket",
      owner,
      attributes: locationAttributes(location),
    });
    if (created.kind === "refused") {
      const existing = await filer.getTree(call.bucket);
      if (existing?.kind !== "bucket" || existing.owner !== owner) {
        throw new S3Error("BucketAlreadyExists", undefined, {
          details: { BucketName: call.bucket },
        });
      }
      // S3's oldest region answers its owner's second request as its first; the others do not.
      if (location !== DEFAULT_REGION || locationOf(existing, region) !== location) {
        throw new S3Error("BucketAlreadyOwnedByYou", undefined, {
          details: { BucketName: call.bucket },
        });
      }
    }
    return emptyReply(200, { Location: `/${call.bucket}` });
  },
};

/** Throws `IllegalLocationConstraintException` for a region that this store is not in. */
async function readLocation(call: BucketNameCall): Promise<string> {
  const { bytes } = await call.body.document();
  const { region } = call.store;
  if (bytes.length === 0) return regionName(region);
  const root = parseDocument(bytes, "CreateBucketConfiguration");
  const constraint = childText(root, "LocationConstraint")?.trim() ?? "";
  if (constraint === "") return regionName(region);
  if (isLocation(constraint, region)) return constraint;
  throw new S3Error("IllegalLocationConstraintException");
}

function isLocation(constraint: string, region: Region): boolean {
  return region.kind === "strict"
    ? constraint === region.name
    : /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(constraint);
}

function refuseBucketHeaders(headers: RequestHeaders): void {
  const objectLock = headerText(headers, "x-amz-bucket-object-lock-enabled");
  if (objectLock !== undefined && objectLock.toLowerCase() !== "false") {
    throw notImplementedHeader("x-amz-bucket-object-lock-enabled");
  }
  const ownership = headerText(headers, "x-amz-object-ownership");
  if (ownership !== undefined && ownership !== "BucketOwnerEnforced") {
    throw notImplementedHeader("x-amz-object-ownership");
  }
  refuseUnsupportedHeaders(headers);
}
