/**
 * Child processes as a port. `platform` starts the real ones.
 *
 * Implementations must start the child as leader of a session and process group of its own, with exactly the
 * environment given and no input, so that `killGroup` reaches everything that it started.
 */
export interface Processes {
  /** Starts a program. Throws `ProcessError` when it cannot be started at all. */
  start(request: StartProcess): RunningProcess;
  /**
   * Names one life of a process id (the id in decimal, then more): differs after the id was reused; `undefined` when no such process lives or the
   * system does not tell. Compare before killing a process that an earlier run of this program started.
   */
  identify(pid: number): string | undefined;
  /** This process's own name of that kind; begins with its id in decimal. */
  self(): string;
  /** Signals the whole group of `pid`; harmless when it is gone. */
  killGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void;
  /** Absolute path of a program as a shell with this `path` (folders joined by `:`) would find it. */
  find(program: string, path: string): string | undefined;
}

export interface StartProcess {
  /** Program and arguments; at least one. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
}

export interface RunningProcess {
  readonly pid: number;
  /** Both end when every holder of the pipe has closed it. Not reading holds the child back. */
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  readonly exited: Promise<ProcessExit>;
}

export type ProcessExit =
  | { readonly kind: "code"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string };

/** A program that could not be started. `code` is the errno name, such as `ENOENT`. */
export class ProcessError extends Error {
  override readonly name = "ProcessError";
  readonly code: string;
  readonly program: string;

  constructor(program: string, code: string, cause: unknown) {
    super(`Cannot start ${program}: ${code}`, { cause });
    this.code = code;
    this.program = program;
  }
}
