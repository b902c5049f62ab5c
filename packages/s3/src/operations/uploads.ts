import { PART_NUMBER_MAX, type Upload, type UploadId } from "@kelp/wire";
import { invalidArgument, queryValue } from "./query.ts";
import { noSuchBucket, noSuchUpload } from "./refusals.ts";
import type { ObjectCall } from "./operation.ts";
import type { S3Request } from "../request.ts";
import { UPLOAD_ID_LENGTH_MAX } from "../limits.ts";

/** What the operations on one upload share. */

/** Throws `NoSuchUpload` for text that cannot be an upload id, `InvalidArgument` when there is none. */
export function requireUploadId(request: S3Request): UploadId {
  const text = queryValue(request, "uploadId");
  if (text === undefined) throw invalidArgument("uploadId", "", "is missing");
  if (text.length > UPLOAD_ID_LENGTH_MAX || !/^[\w.~-]+$/.test(text)) throw noSuchUpload(text);
  return text as UploadId;
}

/** Throws `InvalidArgument` unless it is 1 … `PART_NUMBER_MAX`. */
export function requirePartNumber(request: S3Request): number {
  const text = queryValue(request, "partNumber") ?? "";
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= PART_NUMBER_MAX) return number;
  throw invalidArgument("partNumber", text, `must be 1 to ${PART_NUMBER_MAX}`);
}

/** The upload of that id, which must be one of this very key: ids are no authority over other keys. */
export async function requireUpload(call: ObjectCall, id: UploadId): Promise<Upload> {
  const found = await call.store.filer.getUpload(call.bucket, id);
  if (found.kind === "refused") throw uploadRefused(found.refusal, call.bucket, id);
  if (found.value.path !== call.key) throw noSuchUpload(id);
  return found.value;
}

export function uploadRefused(
  refusal: "no-such-tree" | "no-such-upload",
  bucket: string,
  id: UploadId,
): Error {
  return refusal === "no-such-tree" ? noSuchBucket(bucket) : noSuchUpload(id);
}
