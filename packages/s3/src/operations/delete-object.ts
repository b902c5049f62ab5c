import { headerText } from "@kelp/base/http";
import { type Operation, emptyReply } from "./operation.ts";
import { conditionFailed, noSuchBucket } from "./refusals.ts";
import { hasQuery } from "./query.ts";
import { matchCondition } from "../http/conditions.ts";
import { writeAccess } from "./write-access.ts";
import { refuseOtherVersions } from "./object-read.ts";
import { refuseUnsupportedHeaders } from "../http/unsupported.ts";

export const deleteObject: Operation = {
  level: "object",
  name: "DeleteObject",
  access: (request, bucket, key) =>
    writeAccess(hasQuery(request, "versionId") ? "s3:DeleteObjectVersion" : "s3:DeleteObject")(
      request,
      bucket,
      key,
    ),
  async handle(call) {
    refuseUnsupportedHeaders(call.request.headers);
    refuseOtherVersions(call.request);
    const ifMatch = headerText(call.request.headers, "if-match");
    const deleted = await call.store.filer.deleteEntry({
      tree: call.bucket,
      path: call.key,
      ...(ifMatch !== undefined && { condition: matchCondition(ifMatch) }),
    });
    if (deleted.kind === "ok") return emptyReply(204);
    if (deleted.refusal === "no-such-tree") throw noSuchBucket(call.bucket);
    throw conditionFailed(deleted.refusal, call.key);
  },
};
