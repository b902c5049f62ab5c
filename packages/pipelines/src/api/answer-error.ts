import type { Log } from "@kelp/base";
import { ObjectStoreError, type ObjectStoreErrorCode } from "@kelp/wire";
import type { Context } from "hono";
import { ApiError, STATUS_OF, statusMessage, uploadErrorMessage } from "./errors.ts";
import { PipelinesError, type PipelinesErrorCode } from "../index.ts";
import type { ApiErrorCode } from "./errors.ts";

const CODE_OF = {
  "invalid-spec": "invalid-argument",
  "invalid-parameter": "invalid-argument",
  "invalid-argument": "invalid-argument",
  "not-found": "not-found",
  "failed-precondition": "failed-precondition",
  unavailable: "unavailable",
} as const satisfies Record<PipelinesErrorCode, ApiErrorCode>;

const STORE_CODE_OF = {
  "no-such-bucket": "not-found",
  "no-such-object": "not-found",
  "bucket-not-empty": "failed-precondition",
  "invalid-bucket-name": "invalid-argument",
  "invalid-key": "invalid-argument",
  "quota-exceeded": "failed-precondition",
  "out-of-space": "unavailable",
  "no-such-snapshot": "not-found",
  "snapshot-exists": "failed-precondition",
  "invalid-snapshot-name": "invalid-argument",
  "too-many-snapshots": "failed-precondition",
} as const satisfies Record<ObjectStoreErrorCode, ApiErrorCode>;

/** The answer of every route but uploads. */
export function answerError(error: Error, context: Context, log: Log): Response {
  const apiError = toApiError(error, context, log);
  return context.json(statusMessage(apiError), STATUS_OF[apiError.code].http);
}

export function answerUploadError(error: Error, context: Context, log: Log): Response {
  const apiError = toApiError(error, context, log);
  return context.json(uploadErrorMessage(apiError), STATUS_OF[apiError.code].http);
}

/** What nobody foresaw is logged whole and shown without its inside. */
function toApiError(error: Error, context: Context, log: Log): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof PipelinesError) {
    return new ApiError(CODE_OF[error.code], error.message, { cause: error });
  }
  if (error instanceof ObjectStoreError) {
    return new ApiError(STORE_CODE_OF[error.code], error.message, { cause: error });
  }
  log.error("pipelines request failed", {
    method: context.req.method,
    path: context.req.path,
    error: error.stack ?? error.message,
  });
  return new ApiError("internal", "Cannot answer: the server failed; its log tells why", {
    cause: error,
  });
}
