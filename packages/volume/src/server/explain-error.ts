import { HttpError } from "@kelp/base/http";
import { VolumeError, type VolumeErrorCode } from "../errors.ts";

/** Status of each error of the room; corruption is a failure of the server, never an absent file. */
const STATUS = {
  "needle-corrupt": 500,
  "cookie-mismatch": 409,
  "needle-too-large": 413,
  "invalid-needle": 400,
  "no-such-volume": 404,
  "volume-missing": 503,
  "volume-exists": 409,
  "job-running": 409,
  "volume-full": 503,
  "volume-failed": 503,
  "read-only": 503,
  "out-of-space": 507,
  overloaded: 503,
  "read-failed": 500,
  "unsupported-format": 500,
  "invalid-collection": 400,
  "too-few-shards": 503,
  "shards-corrupt": 500,
  "index-corrupt": 500,
  "invalid-shape": 400,
  "not-sealed": 409,
  "wrong-form": 409,
  "no-such-backend": 404,
  "remote-failed": 503,
  "invalid-traits": 400,
  "folder-in-use": 500,
  "folder-used-twice": 500,
  "catalogue-unreadable": 500,
  closed: 503,
} as const satisfies Record<VolumeErrorCode, number>;

export function explainVolumeError(error: unknown): HttpError | undefined {
  if (!(error instanceof VolumeError)) return undefined;
  const status: number = STATUS[error.code];
  return new HttpError(status, error.message, {
    cause: error,
    ...(status === 503 && { headers: { "Retry-After": "1" } }),
  });
}
