/**
 * Assertions: they state what the code itself guarantees, stay on in production, and stop the
 * process when they fail. What a user, peer or disk sent is never asserted on; that is an error.
 */

export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Stops with a bug report unless `condition` holds. `message` is a constant or a thunk: it is only built on failure. */
export function assert(
  condition: boolean,
  message: string | (() => string) = "assertion failed",
): asserts condition {
  if (!condition) throw new AssertionError(typeof message === "string" ? message : message());
}

/** The last branch of a switch over a union: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable value: ${String(value)}`);
}

/** Turns "cannot be undefined here" into a type. */
export function must<T>(value: T | undefined | null, message = "value is absent"): T {
  if (value === undefined || value === null) throw new AssertionError(message);
  return value;
}

/** Says "may be either, on purpose", so that a reader does not look for the missing check. */
export function maybe(_condition: boolean): void {
  // Deliberately empty: it documents, it does not check.
}

/** A non-negative safe integer, such as a size, an offset or a count. */
export function assertCount(value: number, message: string): void {
  assert(Number.isSafeInteger(value) && value >= 0, message);
}
