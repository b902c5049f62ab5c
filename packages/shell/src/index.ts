/** The classic shell's commands over Kelp's management API. */
export type { Output } from "./command.ts";
export { ShellError, type ShellErrorCode } from "./errors.ts";
export { type ExitStatus, type SessionOptions, runLine, runSession } from "./session.ts";
export type { Completions } from "./completion.ts";
export { type Shell, type ShellOptions, openShell } from "./shell.ts";
