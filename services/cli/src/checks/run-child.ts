import { spawn } from "node:child_process";
import { REPOSITORY_FOLDER } from "../repository.ts";

export interface ChildResult {
  /** 128 + signal number when a signal ended it, as shells count. */
  readonly status: number;
  /** The last of both outputs, at most `OUTPUT_CHARS_MAX`. */
  readonly output: string;
}

/** Enough for every finding that a person would read. */
const OUTPUT_CHARS_MAX = 1024 * 1024;

/** Runs Bun with `args` at the root of the checkout; `onOutput` sees the text as it comes. */
export function runBun(
  args: readonly string[],
  options: {
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly onOutput?: (text: string) => void;
  },
): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--no-env-file", ...args], {
      cwd: REPOSITORY_FOLDER,
      env: { ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const take = (text: string): void => {
      output = (output + text).slice(-OUTPUT_CHARS_MAX);
      options.onOutput?.(text);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve({ status: code ?? (signal === null ? 1 : 143), output });
    });
  });
}
