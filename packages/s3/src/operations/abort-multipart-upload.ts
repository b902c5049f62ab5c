import { type Operation, emptyReply } from "./operation.ts";
import { requireUpload, requireUploadId, uploadRefused } from "./uploads.ts";
import { objectArn } from "@kelp/wire";

export const abortMultipartUpload: Operation = {
  level: "object",
  name: "AbortMultipartUpload",
  access: (_request, bucket, key) => [
    { action: "s3:AbortMultipartUpload", resource: objectArn(bucket, key) },
  ],
  async handle(call) {
    const id = requireUploadId(call.request);
    await requireUpload(call, id);
    const aborted = await call.store.filer.abortUpload(call.bucket, id);
    if (aborted.kind === "refused") throw uploadRefused(aborted.refusal, call.bucket, id);
    return emptyReply(204);
  },
};
