import type { ConditionFailed, WriteRefusal } from "@kelp/wire";
import { unreachable } from "@kelp/base";
import { S3Error, type S3ErrorCode } from "../errors.ts";

/** What the filer refuses, in the words of S3. Each of these returns the error for the caller to throw. */

export function noSuchBucket(bucket: string): S3Error {
  return new S3Error("NoSuchBucket", undefined, { details: { BucketName: bucket } });
}

export function noSuchKey(key: string): S3Error {
  return new S3Error("NoSuchKey", undefined, { details: { Key: key } });
}

export function noSuchUpload(uploadId: string): S3Error {
  return new S3Error("NoSuchUpload", undefined, { details: { UploadId: uploadId } });
}

export function preconditionFailed(header: string): S3Error {
  return new S3Error("PreconditionFailed", undefined, { details: { Condition: header } });
}

/** A write that needed an object which is not there is a 404, one that met the wrong object a 412. */
export function conditionFailed(failed: ConditionFailed, key: string): S3Error {
  return failed.exists ? preconditionFailed("If-Match or If-None-Match") : noSuchKey(key);
}

export function writeRefused(refusal: WriteRefusal, bucket: string, key: string): S3Error {
  if (refusal === "no-such-tree") return noSuchBucket(bucket);
  if (refusal === "quota-exceeded") return new S3Error("QuotaExceeded");
  switch (refusal.kind) {
    case "condition-failed":
      return conditionFailed(refusal, key);
    default:
      return unreachable(refusal.kind);
  }
}

/**
 * Codes of the errors that engines below throw, as S3 answers them. They are told by their `code`, not by their class:
 * the rooms that own the classes stand behind ports.
 */
const ENGINE_CODES: ReadonlyMap<string, S3ErrorCode> = new Map([
  ["out-of-space", "StorageFull"],
  ["overloaded", "SlowDown"],
  ["volume-missing", "ServiceUnavailable"],
  ["too-few-shards", "ServiceUnavailable"],
  ["remote-failed", "ServiceUnavailable"],
  ["closed", "ServiceUnavailable"],
]);
/** How deep an S3 error may be wrapped by the engine that its body stream ran through. */
const CAUSES_MAX = 4;

/** Whatever was thrown, as the S3 door answers it. `InternalError` stands for everything that no client caused. */
export function toS3Error(thrown: unknown): S3Error {
  let current = thrown;
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth++) {
    if (current instanceof S3Error) return current;
    const code = "code" in current ? current.code : undefined;
    const known = typeof code === "string" ? ENGINE_CODES.get(code) : undefined;
    if (known !== undefined) return new S3Error(known, undefined, { cause: thrown });
    current = current.cause;
  }
  return new S3Error("InternalError", undefined, { cause: thrown });
}
