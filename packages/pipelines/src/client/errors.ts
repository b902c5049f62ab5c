/** Why a run could not be submitted or followed. */
export type RunClientErrorCode =
  /** The file is no compiled pipeline. */
  | "invalid-file"
  /** A `--param` is unknown or has no value of its type. */
  | "invalid-parameter"
  /** The server answered, and refused. */
  | "refused"
  /** The server did not answer. */
  | "unreachable";

export class RunClientError extends Error {
  override readonly name = "RunClientError";
  readonly code: RunClientErrorCode;

  constructor(code: RunClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
