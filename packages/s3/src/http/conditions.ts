import type { RequestHeaders } from "@kelp/base/http1";
import { headerText, splitEtags } from "@kelp/base/http";
import type { Condition } from "@kelp/wire";
import { S3Error } from "../errors.ts";

/**
 * The condition of a write. S3 takes `If-None-Match: *` and `If-Match: <etag>`, one at a time; whatever else these
 * headers say is refused, since ignoring it could overwrite what the client meant to keep.
 */
export function parseWriteCondition(headers: RequestHeaders): Condition | undefined {
  const ifMatch = headerText(headers, "if-match");
  const ifNoneMatch = headerText(headers, "if-none-match");
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw new S3Error("NotImplemented", "If-Match and If-None-Match cannot be combined");
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === "*") return { kind: "absent" };
    throw new S3Error("NotImplemented", "If-None-Match of a write takes only an asterisk");
  }
  return ifMatch === undefined ? undefined : matchCondition(ifMatch);
}

/** `If-Match` of a write or delete as the filer's condition. */
export function matchCondition(ifMatch: string): Condition {
  const etags = splitEtags(ifMatch);
  return etags.includes("*") ? { kind: "present" } : { kind: "etag", etags };
}
