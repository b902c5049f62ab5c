/** Every refusal of `/api/v1`, by stable code, with the HTTP status that carries it. */
export const CONSOLE_ERROR_STATUS = {
  "access-denied": 403,
  "bad-request": 400,
  "bucket-exists": 409,
  "bucket-not-empty": 409,
  "foreign-origin": 403,
  internal: 500,
  "invalid-bucket-name": 400,
  "invalid-identity": 400,
  "invalid-key": 400,
  "invalid-snapshot-name": 400,
  "key-exists": 409,
  "no-such-backend": 404,
  "no-such-bucket": 404,
  "no-such-identity": 404,
  "no-such-key": 404,
  "no-such-object": 404,
  "no-such-route": 404,
  "no-such-snapshot": 404,
  "no-such-volume": 404,
  "not-implemented": 501,
  "out-of-space": 507,
  "quota-exceeded": 507,
  "range-not-satisfiable": 416,
  "sign-in-failed": 401,
  "sign-in-required": 401,
  "snapshot-exists": 409,
  "too-large": 413,
  "too-many-snapshots": 409,
  unavailable: 503,
  "volume-busy": 409,
  "volume-damaged": 500,
  "volume-not-empty": 409,
  "volume-unsuitable": 409,
} as const;

export type ConsoleErrorCode = keyof typeof CONSOLE_ERROR_STATUS;

/** A refusal that the caller is told of: `code` decides the status, `message` is a sentence for people. */
export class ConsoleError extends Error {
  override readonly name = "ConsoleError";
  readonly code: ConsoleErrorCode;

  constructor(code: ConsoleErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get status(): (typeof CONSOLE_ERROR_STATUS)[ConsoleErrorCode] {
    return CONSOLE_ERROR_STATUS[this.code];
  }
}
