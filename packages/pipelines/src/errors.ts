/** Everything that can go wrong in this room for reasons outside it. `code` is stable; the message is for people. */
export type PipelinesErrorCode =
  /** The specification is not valid; the message names the field. */
  | "invalid-spec"
  /** A run's parameter is missing, unknown or of the wrong type. */
  | "invalid-parameter"
  /** A request is malformed in another way. */
  | "invalid-argument"
  /** No run or task of that id. */
  | "not-found"
  /** The run's state does not allow what was asked. */
  | "failed-precondition"
  /** The engine was stopped or is stopping. */
  | "unavailable";

export class PipelinesError extends Error {
  override readonly name = "PipelinesError";
  readonly code: PipelinesErrorCode;

  constructor(code: PipelinesErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * A task that cannot go on for a reason that its author can understand and act on: the message becomes the task's
 * error. Never leaves the engine.
 */
export class TaskError extends Error {
  override readonly name = "TaskError";
}
