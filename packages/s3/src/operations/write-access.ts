import { headerText } from "@kelp/base/http";
import { type EntryPath, type TreeName, objectArn } from "@kelp/wire";
import type { Access } from "./operation.ts";
import type { S3Request } from "../request.ts";

/**
 * What changing one object asks for. `If-Match` with an ETag tells whether the object has it, and so it asks for the
 * right to read as well, as S3 does.
 */
export function writeAccess(
  action: Access["action"],
): (request: S3Request, bucket: TreeName, key: EntryPath) => readonly Access[] {
  return (request, bucket, key) => {
    const resource = objectArn(bucket, key);
    const ifMatch = headerText(request.headers, "if-match");
    return ifMatch === undefined || ifMatch.trim() === "*"
      ? [{ action, resource }]
      : [
          { action, resource },
          { action: "s3:GetObject", resource },
        ];
  };
}
