import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openShell, runLine, runSession } from "@kelp/shell";
import type { ServerAddress } from "./management-client.ts";

/** Runs one line, or a session on this process's streams. Returns the exit status. */
export async function runShell(
  server: ServerAddress,
  command: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const shell = openShell(server);
  const streams = { output: process.stdout, errorOutput: process.stderr };
  if (command !== undefined) return runLine(shell, command, streams);
  const history = historyFile(environment);
  return runSession(shell, {
    ...streams,
    input: process.stdin,
    isTerminal: process.stdin.isTTY && process.stdout.isTTY,
    history: readHistory(history),
    onHistory: (lines) => writeHistory(history, lines),
  });
}

/** By the XDG base directory specification, state of a user's programs. `undefined` where there is no home. */
function historyFile(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const home = environment["HOME"];
  const state =
    environment["XDG_STATE_HOME"] ?? (home === undefined ? undefined : join(home, ".local/state"));
  return state === undefined ? undefined : join(state, "kelp/shell-history");
}

function readHistory(file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch (error) {
    if (isSystemError(error)) return [];
    throw error;
  }
}

/** A history that cannot be kept is no reason to end a session. */
function writeHistory(file: string | undefined, lines: readonly string[]): void {
  if (file === undefined) return;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "code" in error;
}
