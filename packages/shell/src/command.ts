import type { FlagSpecs, ParsedFlags } from "./flags.ts";
import type { ManagementClient } from "./management-client.ts";

/** One command of the shell. */
export interface Command {
  /** As typed, such as `s3.bucket.list`. */
  readonly name: string;
  /** What follows the name, for help: `-name <bucket>`. */
  readonly usage: string;
  /** One sentence without a full stop. */
  readonly summary: string;
  readonly flags: FlagSpecs;
  /** What words that are no flags are: nothing is accepted for `none`. */
  readonly takes: "none" | "paths" | "names";
  /** Throws `ShellError`. */
  run(call: Call): Promise<void>;
}

/** What a command works with. */
export interface Call {
  readonly flags: ParsedFlags;
  readonly client: ManagementClient;
  readonly output: Output;
  readonly session: SessionState;
}

export interface Output {
  /** Text ends its own lines. Resolves when there is room for more. */
  write(piece: string | Uint8Array): Promise<void>;
}

/** What lasts from one command to the next. */
export interface SessionState {
  /** Absolute; starts as `/`. */
  directory: string;
}
