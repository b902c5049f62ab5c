/** The command line, environment or configuration says something impossible. Shown as one line; exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A command could not do its work for a reason that the message tells. Shown as one line; exit status 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
