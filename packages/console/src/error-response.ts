import type { Log } from "@kelp/base";
import { ObjectStoreError, type ObjectStoreErrorCode } from "@kelp/wire";
import type { ErrorMessage } from "@kelp/wire/management";
import { ConsoleError, type ConsoleErrorCode } from "./errors.ts";

/** The one table from what the store refuses to what the caller is told. */
const STORE_CODES = {
  "no-such-bucket": "no-such-bucket",
  "no-such-object": "no-such-object",
  "bucket-not-empty": "bucket-not-empty",
  "invalid-bucket-name": "invalid-bucket-name",
  "invalid-key": "invalid-key",
  "quota-exceeded": "quota-exceeded",
  "out-of-space": "out-of-space",
  "no-such-snapshot": "no-such-snapshot",
  "snapshot-exists": "snapshot-exists",
  "invalid-snapshot-name": "invalid-snapshot-name",
  "too-many-snapshots": "too-many-snapshots",
} as const satisfies Record<ObjectStoreErrorCode, ConsoleErrorCode>;

/** What a thrown value means to the caller; `undefined` when it is a fault of this program and must be logged. */
export function asConsoleError(error: unknown): ConsoleError | undefined {
  if (error instanceof ConsoleError) return error;
  if (error instanceof ObjectStoreError) {
    return new ConsoleError(STORE_CODES[error.code], error.message, { cause: error });
  }
  // NOTE: these classes belong to rooms that this one may not import, hence the test by name.
  if (error instanceof Error && error.name === "IamError") return fromIamError(error);
  if (error instanceof Error && error.name === "VolumeError") return fromVolumeError(error);
  if (error instanceof Error && error.name === "MasterError") {
    return new ConsoleError("unavailable", error.message, { cause: error });
  }
  return undefined;
}

export function errorResponse(error: unknown, log: Log): Response {
  const known = asConsoleError(error);
  if (known !== undefined) return refusal(known);
  log.error("request failed", {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  return refusal(new ConsoleError("internal", "The server failed to answer; its log says why"));
}

function refusal(error: ConsoleError): Response {
  const body: ErrorMessage = { error: { code: error.code, message: error.message } };
  return Response.json(body, {
    status: error.status,
    headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" },
  });
}

function fromIamError(error: Error): ConsoleError {
  const code = "code" in error ? error.code : undefined;
  const meaning = code === "no-such-identity" || code === "key-exists" ? code : "invalid-identity";
  return new ConsoleError(meaning, error.message, { cause: error });
}

/** What is not named here is a state that passes: a disk that is away, a store that is stopping. */
const VOLUME_CODES: Readonly<Record<string, ConsoleErrorCode>> = {
  "no-such-volume": "no-such-volume",
  "no-such-backend": "no-such-backend",
  "invalid-shape": "bad-request",
  "job-running": "volume-busy",
  "needle-corrupt": "volume-damaged",
  "read-failed": "volume-damaged",
  "shards-corrupt": "volume-damaged",
  "index-corrupt": "volume-damaged",
  "read-only": "volume-unsuitable",
  "not-sealed": "volume-unsuitable",
  "wrong-form": "volume-unsuitable",
  "unsupported-format": "volume-unsuitable",
  "too-few-shards": "volume-unsuitable",
  "out-of-space": "out-of-space",
};

function fromVolumeError(error: Error): ConsoleError {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const message = `${error.message}${whyItCouldNotBeOpened(error)}`;
  return new ConsoleError(VOLUME_CODES[code] ?? "unavailable", message, { cause: error });
}

/** What opening a volume met, and what helps, is in the cause: whoever may change volumes is told of it as well. */
function whyItCouldNotBeOpened({ cause }: Error): string {
  return cause instanceof Error && cause.name === "VolumeError" ? `: ${cause.message}` : "";
}
