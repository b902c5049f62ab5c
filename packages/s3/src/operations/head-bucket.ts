import { type Operation, emptyReply } from "./operation.ts";
import { bucketArn } from "@kelp/wire";
import { locationOf } from "./location.ts";

export const headBucket: Operation = {
  level: "bucket",
  name: "HeadBucket",
  access: (_request, bucket) => [{ action: "s3:ListBucket", resource: bucketArn(bucket) }],
  handle: (call) =>
    Promise.resolve(
      emptyReply(200, { "x-amz-bucket-region": locationOf(call.tree, call.store.region) }),
    ),
};
