import { type Operation, xmlReply } from "./operation.ts";
import { refuseOtherVersions, requireEntry } from "./object-read.ts";
import { hasQuery } from "./query.ts";
import { objectArn } from "@kelp/wire";
import { xmlDocument } from "../xml/builder.ts";

/** What S3 says of an object without tags, which is every object here. The AWS CLI asks before it copies a large one. */
export const getObjectTagging: Operation = {
  level: "object",
  name: "GetObjectTagging",
  access: (request, bucket, key) => [
    {
      action: hasQuery(request, "versionId") ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging",
      resource: objectArn(bucket, key),
    },
  ],
  async handle(call) {
    refuseOtherVersions(call.request);
    await requireEntry(call);
    return xmlReply(xmlDocument("Tagging", "<TagSet></TagSet>"));
  },
};
