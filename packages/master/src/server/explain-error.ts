import { HttpError } from "@kelp/base/http";
import { MasterError, type MasterErrorCode } from "../errors.ts";

const STATUS = {
  "no-writable-volume": 406,
  "out-of-space": 406,
  "invalid-request": 400,
  closed: 503,
} as const satisfies Record<MasterErrorCode, number>;

export function explainMasterError(error: unknown): HttpError | undefined {
  if (!(error instanceof MasterError)) return undefined;
  return new HttpError(STATUS[error.code], error.message, { cause: error });
}
