import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
/** Every door on a port that nobody has. */
const FREE_PORTS = ["s3", "console", "master", "volume", "filer"].map((door) => `--${door}.port=0`);
const READY_POLL_MS = 2;
const READY_MS_MAX = 60_000;

export interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly consoleToken: string;
}

/** A server in a process of its own, on free ports. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number;
  readonly dir: string;
  readonly s3Port: number;
  readonly consoleUrl: string;
  readonly masterUrl: string;
  readonly volumeUrl: string;
  readonly credentials: Credentials;
  /** From the start of the process until every door answered. */
  readonly startMs: number;
  stop(): Promise<void>;
}

/** A folder for data, on the disk that `KELP_BENCH_DIR` names or the one for temporary files. */
export function benchFolder(): Disposable & { readonly path: string } {
  const parent = process.env["KELP_BENCH_DIR"] ?? tmpdir();
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, "kelp-bench-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export async function startServer(
  dir: string,
  flags: readonly string[] = [],
): Promise<ServerProcess> {
  const readyFile = join(dir, "..", `ready-${process.pid}-${performance.now()}.json`);
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    [
      "--no-env-file",
      join(ROOT, "services/cli/src/main.ts"),
      "server",
      "--dir",
      dir,
      ...FREE_PORTS,
      "--ready-file",
      readyFile,
      "--log.level",
      "warn",
      ...flags,
    ],
    { stdio: ["ignore", "ignore", "inherit"], cwd: ROOT },
  );
  const ready = await waitUntilReady(child, readyFile);
  const startMs = performance.now() - startedMs;
  rmSync(readyFile);
  const stop = (): Promise<void> => stopChild(child);
  return {
    pid: ready.pid,
    dir,
    s3Port: Number(new URL(ready.endpoints.s3).port),
    consoleUrl: ready.endpoints.console,
    masterUrl: ready.endpoints.master,
    volumeUrl: ready.endpoints.volume,
    credentials: readCredentials(dir),
    startMs,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface ReadyFile {
  readonly pid: number;
  readonly endpoints: {
    readonly s3: string;
    readonly console: string;
    readonly master: string;
    readonly volume: string;
  };
}

async function waitUntilReady(child: ChildProcess, file: string): Promise<ReadyFile> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (!existsSync(file)) {
    if (child.exitCode !== null) throw new Error(`The server ended with status ${child.exitCode}`);
    if (performance.now() > deadlineMs) throw new Error("The server did not become ready");
    await Bun.sleep(READY_POLL_MS);
  }
  return JSON.parse(readFileSync(file, "utf8")) as ReadyFile;
}

function readCredentials(dir: string): Credentials {
  const stored = JSON.parse(readFileSync(join(dir, "credentials.json"), "utf8")) as {
    readonly access_key: string;
    readonly secret_key: string;
    readonly console_token: string;
  };
  return {
    accessKey: stored.access_key,
    secretKey: stored.secret_key,
    consoleToken: stored.console_token,
  };
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once("exit", () => done());
    child.kill("SIGTERM");
  });
}
