import { HttpError } from "@kelp/base/http";
import type { WriteRefusal } from "@kelp/wire";
import { FilerError, type FilerErrorCode } from "../errors.ts";

/** Status of each error of the room; corruption is a failure of the server, never an absent file. */
const STATUS: Readonly<Record<FilerErrorCode, number>> = {
  "chunk-corrupt": 500,
  "chunk-missing": 500,
  "chunk-store-failed": 500,
  "out-of-space": 507,
  "entry-corrupt": 500,
  overloaded: 503,
  "store-failed": 500,
  "invalid-path": 414,
  closed: 503,
};

export function explainFilerError(error: unknown): HttpError | undefined {
  if (!(error instanceof FilerError)) return undefined;
  const status = STATUS[error.code];
  return new HttpError(status, error.message, {
    cause: error,
    ...(status === 503 && { headers: { "Retry-After": "1" } }),
  });
}

/** A refused write as the answer to it. */
export function writeRefused(refusal: WriteRefusal): HttpError {
  if (refusal === "no-such-tree") return new HttpError(404, "There is no such bucket");
  if (refusal === "quota-exceeded") return new HttpError(507, "The quota is exceeded");
  return new HttpError(412, "The file is not as the condition wants it");
}

export function notFound(): HttpError {
  return new HttpError(404, "There is no such file or folder");
}
