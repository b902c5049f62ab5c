import { type Operation, xmlReply } from "./operation.ts";
import { bucketArn } from "@kelp/wire";
import { xmlDocument } from "../xml/builder.ts";

/** What S3 says of a bucket whose versioning was never enabled, which is every bucket here. */
export const getBucketVersioning: Operation = {
  level: "bucket",
  name: "GetBucketVersioning",
  access: (_request, bucket) => [{ action: "s3:GetBucketVersioning", resource: bucketArn(bucket) }],
  handle: () => Promise.resolve(xmlReply(xmlDocument("VersioningConfiguration", ""))),
};
