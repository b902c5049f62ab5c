import { type Operation, emptyReply } from "./operation.ts";
import { S3Error } from "../errors.ts";
import { bucketArn } from "@kelp/wire";
import { noSuchBucket } from "./refusals.ts";

export const deleteBucket: Operation = {
  level: "bucket",
  name: "DeleteBucket",
  access: (_request, bucket) => [{ action: "s3:DeleteBucket", resource: bucketArn(bucket) }],
  async handle(call) {
    const deleted = await call.store.filer.deleteTree(call.bucket);
    if (deleted.kind === "ok") return emptyReply(204);
    if (deleted.refusal === "no-such-tree") throw noSuchBucket(call.bucket);
    throw new S3Error("BucketNotEmpty", undefined, { details: { BucketName: call.bucket } });
  },
};
