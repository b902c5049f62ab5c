import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The program as a user starts it. */
export const KELP = join(dirname(dirname(import.meta.dirname)), "kelp");

/** Every door on a port that nobody has. */
const FREE_PORTS = ["s3", "console", "master", "volume", "filer"].map((door) => `--${door}.port=0`);

export interface KelpCredentials {
  readonly access_key: string;
  readonly secret_key: string;
  readonly console_token: string;
}

interface ReadyDocument {
  readonly pid: number;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly credentials_file: string;
}

/** A running `kelp server` in a process of its own, on free port numbers and a folder of its own. */
export class KelpServer implements AsyncDisposable {
  readonly dir: string;
  readonly pid: number;
  readonly s3Url: string;
  readonly consoleUrl: string;
  readonly masterUrl: string;
  readonly volumeUrl: string;
  readonly filerUrl: string;
  readonly credentials: KelpCredentials;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number>;
  readonly #removeDir: boolean;
  readonly #output: string[];

  private constructor(start: Started) {
    this.dir = start.dir;
    this.pid = start.ready.pid;
    this.s3Url = need(start.ready.endpoints["s3"]);
    this.consoleUrl = need(start.ready.endpoints["console"]);
    this.masterUrl = need(start.ready.endpoints["master"]);
    this.volumeUrl = need(start.ready.endpoints["volume"]);
    this.filerUrl = need(start.ready.endpoints["filer"]);
    this.credentials = JSON.parse(readFileSync(start.ready.credentials_file, "utf8"));
    this.#child = start.child;
    this.#exited = start.exited;
    this.#removeDir = start.removeDir;
    this.#output = start.output;
  }

  /** Starts and waits until every door answers. `dir` is kept at the end when given, removed when not. */
  static async start(options: StartOptions = {}): Promise<KelpServer> {
    const dir = options.dir ?? mkdtempSync(join(tmpdir(), "kelp-conformance-"));
    const readyFolder = mkdtempSync(join(tmpdir(), "kelp-ready-"));
    const readyFile = join(readyFolder, "ready.json");
    const child = spawn(
      KELP,
      [
        "server",
        "--dir",
        dir,
        ...FREE_PORTS,
        "--ready-file",
        readyFile,
        "--log.format",
        "json",
        ...(options.flags ?? []),
      ],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...options.env } },
    );
    const output: string[] = [];
    child.stdout?.on("data", (text: Buffer) => remember(output, text.toString()));
    child.stderr?.on("data", (text: Buffer) => remember(output, text.toString()));
    const exited = new Promise<number>((resolve) =>
      child.once("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : 128))),
    );
    // Removed only when the server has ended: it may still be making the file durable when its name appears.
    const ended = exited.finally(() => rmSync(readyFolder, { recursive: true, force: true }));
    await Promise.race([
      fileAppears(readyFolder, readyFile),
      ended.then((code) => {
        throw new Error(`kelp server ended with ${code} before it was ready:\n${output.join("")}`);
      }),
    ]);
    const ready: ReadyDocument = JSON.parse(readFileSync(readyFile, "utf8"));
    return new KelpServer({
      dir,
      ready,
      child,
      exited: ended,
      output,
      removeDir: options.dir === undefined,
    });
  }

  /** What a shell would have after `eval "$(kelp env)"`, for clients started by a test. */
  get clientEnvironment(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: this.credentials.access_key,
      AWS_SECRET_ACCESS_KEY: this.credentials.secret_key,
      AWS_ENDPOINT_URL_S3: this.s3Url,
      AWS_REGION: "us-east-1",
      AWS_DEFAULT_REGION: "us-east-1",
      KF_PIPELINES_ENDPOINT: this.consoleUrl,
    };
  }

  get output(): string {
    return this.#output.join("");
  }

  /** SIGTERM, then waits; resolves with the exit status. */
  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    return this.#exited;
  }

  /** SIGKILL, then waits: what a power cut does to a process. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.stop();
    if (this.#removeDir) rmSync(this.dir, { recursive: true, force: true });
  }
}

export interface StartOptions {
  readonly dir?: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Started {
  readonly dir: string;
  readonly ready: ReadyDocument;
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  readonly output: string[];
  readonly removeDir: boolean;
}

const OUTPUT_PIECES_MAX = 2000;

function remember(output: string[], text: string): void {
  output.push(text);
  if (output.length > OUTPUT_PIECES_MAX) output.shift();
}

function fileAppears(folder: string, file: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, check);
    check();
    function check(): void {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    }
  });
}

function need<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("the ready file lacks an endpoint");
  return value;
}
