import { DEFAULT_REGION, locationOf } from "./location.ts";
import { type Operation, xmlReply } from "./operation.ts";
import { bucketArn } from "@kelp/wire";
import { escapeXml, xmlDocument } from "../xml/builder.ts";

/** S3 writes its oldest region as an empty constraint. */
export const getBucketLocation: Operation = {
  level: "bucket",
  name: "GetBucketLocation",
  access: (_request, bucket) => [{ action: "s3:GetBucketLocation", resource: bucketArn(bucket) }],
  handle(call) {
    const location = locationOf(call.tree, call.store.region);
    const text = location === DEFAULT_REGION ? "" : escapeXml(location);
    return Promise.resolve(xmlReply(xmlDocument("LocationConstraint", text)));
  },
};
