export type ShellErrorCode =
  /** The line cannot be read as a command: unknown name, unknown flag, missing value, open quote. */
  | "usage"
  /** The path or the named thing is not there. */
  | "not-found"
  /** The server refused; the message is the server's. */
  | "refused"
  /** No server answers at the address, or the connection broke. */
  | "unreachable"
  /** The person at the terminal ended it. */
  | "interrupted"
  /** The answer is not one of this API. */
  | "unexpected-answer";

/** Why a command failed, in one line for people. */
export class ShellError extends Error {
  override readonly name = "ShellError";
  readonly code: ShellErrorCode;

  constructor(code: ShellErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether the server refused this one thing, and may well do another. */
export function isRefusal(error: unknown): error is ShellError {
  return error instanceof ShellError && error.code === "refused";
}
