import { type Operation, xmlReply } from "./operation.ts";
import { element, xmlDocument } from "../xml/builder.ts";
import { parseChecksumPlan, planAttributes } from "./checksums.ts";
import { attributesFromHeaders } from "../http/attributes.ts";
import { noSuchBucket } from "./refusals.ts";
import { objectArn } from "@kelp/wire";
import { refuseUnsupportedHeaders } from "../http/unsupported.ts";

export const createMultipartUpload: Operation = {
  level: "object",
  name: "CreateMultipartUpload",
  access: (_request, bucket, key) => [{ action: "s3:PutObject", resource: objectArn(bucket, key) }],
  async handle(call) {
    const { headers } = call.request;
    refuseUnsupportedHeaders(headers);
    const plan = parseChecksumPlan(headers);
    const created = await call.store.filer.createUpload({
      tree: call.bucket,
      path: call.key,
      owner: call.caller.principal.name,
      attributes: { ...attributesFromHeaders(headers), ...planAttributes(plan) },
    });
    if (created.kind === "refused") throw noSuchBucket(call.bucket);
    const shown: Record<string, string> = {};
    if (plan !== undefined) {
      shown["x-amz-checksum-algorithm"] = plan.algorithm.toUpperCase();
      shown["x-amz-checksum-type"] = plan.type;
    }
    return xmlReply(
      xmlDocument(
        "InitiateMultipartUploadResult",
        `${element("Bucket", call.bucket)}${element("Key", call.key)}${element("UploadId", created.value.id)}`,
      ),
      shown,
    );
  },
};
