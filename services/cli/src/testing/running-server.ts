import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../program.ts";
import { REPOSITORY_FOLDER, repositoryPath } from "../repository.ts";

const POLL_MS = 5;
const READY_MS_MAX = 30_000;

export interface FinishedCommand {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the CLI to its end, as a process of its own. */
export function runCli(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<FinishedCommand> {
  return finished(startCli(args, options));
}

/** Runs a command in this process, which takes a tenth of the time. Not for commands that read `process.env` or end the process. */
export async function runHere(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<FinishedCommand> {
  let stdout = "";
  let stderr = "";
  const status = await runProgram(args, {
    environment: env,
    out: (text) => (stdout += `${text}\n`),
    err: (text) => (stderr += `${text}\n`),
  });
  return { status, stdout, stderr };
}

/** A server of its own process, ready. The caller ends it. */
/** Every door on a free port number: one that somebody else holds must not decide a test. */
export const FREE_PORTS: readonly string[] = ["s3", "console", "master", "volume", "filer"].flatMap(
  (door) => [`--${door}.port`, "0"],
);

export interface RunningServer extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly s3Url: string;
  readonly consoleUrl: string;
  readonly s3Port: number;
  readonly masterUrl: string;
  readonly volumeUrl: string;
  readonly filerUrl: string;
  readonly credentials: {
    readonly access_key: string;
    readonly secret_key: string;
    readonly console_token: string;
  };
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<FinishedCommand>;
}

export async function startTestServer(
  folder: string,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const dir = join(folder, "data");
  const readyFile = join(folder, `ready-${crypto.randomUUID()}.json`);
  const child = startCli(
    ["server", "--dir", dir, ...FREE_PORTS, "--ready-file", readyFile, ...flags],
    { env },
  );
  const result = finished(child);
  await waitFor(readyFile, child, result);
  const ready = JSON.parse(readFileSync(readyFile, "utf8"));
  const end = (signal: NodeJS.Signals): Promise<FinishedCommand> => {
    child.kill(signal);
    return result;
  };
  return {
    child,
    s3Url: ready.endpoints.s3,
    consoleUrl: ready.endpoints.console,
    masterUrl: ready.endpoints.master,
    volumeUrl: ready.endpoints.volume,
    filerUrl: ready.endpoints.filer,
    s3Port: Number(new URL(ready.endpoints.s3).port),
    credentials: JSON.parse(readFileSync(join(dir, "credentials.json"), "utf8")),
    end,
    [Symbol.asyncDispose]: async () => {
      await end("SIGKILL");
    },
  };
}

/** The CLI as a process of its own, for tests that end it. */
export function startCliProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  return startCli(args, { env });
}

function startCli(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
): ChildProcess {
  return spawn(
    process.execPath,
    ["--no-env-file", repositoryPath("services/cli/src/main.ts"), ...args],
    {
      cwd: options.cwd ?? REPOSITORY_FOLDER,
      env: { PATH: process.env["PATH"], ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
}

function finished(child: ChildProcess): Promise<FinishedCommand> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  });
}

async function waitFor(
  file: string,
  child: ChildProcess,
  result: Promise<FinishedCommand>,
): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (!existsSync(file)) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`The server ended before it was ready: ${(await result).stderr}`);
    }
    if (performance.now() > deadlineMs) {
      child.kill("SIGKILL");
      throw new Error(`The server did not become ready: ${(await result).stderr}`);
    }
    await Bun.sleep(POLL_MS);
  }
}
