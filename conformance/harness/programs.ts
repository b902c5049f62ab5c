import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The outside programs that these tests talk with. CI installs all of them and there a missing one fails the tests;
 * elsewhere the tests that need it are skipped.
 */
export const PYTHON = process.env["KELP_TEST_PYTHON"];
export const CHROMIUM = process.env["KELP_TEST_CHROMIUM"] ?? findOnPath("chromium");
export const RCLONE = findOnPath("rclone");
export const AWS_CLI = PYTHON === undefined ? findOnPath("aws") : besides(PYTHON, "aws");

export interface ProgramResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runProgram(
  command: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly input?: string;
  } = {},
): Promise<ProgramResult> {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => stdout.push(piece));
  child.stderr.on("data", (piece: Buffer) => stderr.push(piece));
  child.stdin.end(options.input ?? "");
  const status = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 128));
  });
  return {
    status,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
}

/** Runs and returns the standard output; any other status than 0 is an error that shows everything. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: Parameters<typeof runProgram>[2] = {},
): Promise<string> {
  const result = await runProgram(command, args, options);
  if (result.status !== 0) {
    throw new Error(
      `${command} ${args.join(" ")} ended with ${result.status}\n${result.stdout}\n${result.stderr}`,
    );
  }
  return result.stdout;
}

export function pythonScript(name: string): string {
  return join(import.meta.dirname, "..", "python", name);
}

function findOnPath(name: string): string | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(":")) {
    const candidate = join(folder, name);
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

function besides(program: string, name: string): string | undefined {
  const candidate = join(program, "..", name);
  return existsSync(candidate) ? candidate : findOnPath(name);
}
