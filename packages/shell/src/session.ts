import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import type { Output } from "./command.ts";
import { ShellError } from "./errors.ts";
import type { Shell } from "./shell.ts";

export interface SessionOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Where failures are told, a line each. */
  readonly errorOutput: Writable;
  /** True when a person types at `input` and reads at `output`: prompt, history and completion. */
  readonly isTerminal: boolean;
  /** Lines of earlier sessions, newest first. */
  readonly history?: readonly string[];
  /** Called with all lines to keep, newest first, after each line. Lines with secrets are not among them. */
  readonly onHistory?: (lines: readonly string[]) => void;
}

/** 1 when any command failed. */
export type ExitStatus = 0 | 1;

const PROMPT = "> ";
const HISTORY_LINES_MAX = 500;
/** A longer line is no command; it bounds what a pipe can make this hold. */
const LINE_LENGTH_MAX = 1024 * 1024;

/** Runs `line` as `-c` does: output to `output`, one line about a failure to `errorOutput`. */
export async function runLine(
  shell: Shell,
  line: string,
  streams: Pick<SessionOptions, "output" | "errorOutput">,
  signal?: AbortSignal,
): Promise<ExitStatus> {
  try {
    await shell.execute(line, outputTo(streams.output), signal);
    return 0;
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    streams.errorOutput.write(`error: ${error.message}\n`);
    return 1;
  }
}

/** Reads commands until the input ends, `exit` or `quit`. A failure does not end the session. */
export async function runSession(shell: Shell, options: SessionOptions): Promise<ExitStatus> {
  return options.isTerminal ? runTerminal(shell, options) : runPiped(shell, options);
}

async function runPiped(shell: Shell, options: SessionOptions): Promise<ExitStatus> {
  let status: ExitStatus = 0;
  for await (const line of linesOf(options.input)) {
    if (isExit(line)) break;
    if ((await runLine(shell, line, options)) === 1) status = 1;
  }
  return status;
}

async function runTerminal(shell: Shell, options: SessionOptions): Promise<ExitStatus> {
  let status: ExitStatus = 0;
  let running: AbortController | undefined;
  const reader = createInterface({
    input: options.input,
    output: options.output,
    terminal: true,
    prompt: PROMPT,
    history: [...(options.history ?? [])],
    historySize: HISTORY_LINES_MAX,
    removeHistoryDuplicates: true,
    completer: async (line: string): Promise<[string[], string]> => {
      const { words, typed } = await shell.complete(line);
      return [[...words], typed];
    },
  });
  reader.on("history", (lines: string[]) => {
    options.onHistory?.(lines.filter((line) => !holdsSecret(line)));
  });
  // Control-C ends the running command; with none it drops what is typed, and on an empty line it ends the session.
  reader.on("SIGINT", () => {
    if (running !== undefined) return running.abort();
    options.output.write("\n");
    if (reader.line === "") return reader.close();
    reader.write(null, { ctrl: true, name: "e" });
    reader.write(null, { ctrl: true, name: "u" });
  });
  let isClosed = false;
  reader.on("close", () => {
    isClosed = true;
  });
  reader.prompt();
  for await (const line of reader) {
    if (isExit(line)) break;
    running = new AbortController();
    status = (await runLine(shell, line, options, running.signal)) === 1 ? 1 : status;
    running = undefined;
    // The input may have ended while the command ran.
    if (!isClosed) reader.prompt();
  }
  reader.close();
  return status;
}

function isExit(line: string): boolean {
  const word = line.trim();
  return word === "exit" || word === "quit";
}

function holdsSecret(line: string): boolean {
  return line.includes("secret");
}

async function* linesOf(input: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let held = "";
  for await (const piece of input as AsyncIterable<Uint8Array | string>) {
    held += typeof piece === "string" ? piece : decoder.decode(piece, { stream: true });
    const lines = held.split("\n");
    held = lines.pop() ?? "";
    for (const line of lines) yield line.replace(/\r$/, "");
    if (held.length > LINE_LENGTH_MAX) throw new ShellError("usage", "The line is too long");
  }
  held += decoder.decode();
  if (held !== "") yield held;
}

/** Waits when the reader of the output is slower than the server. */
function outputTo(stream: Writable): Output {
  return {
    write: (piece) =>
      new Promise((resolve, reject) => {
        stream.write(piece, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(error);
        });
      }),
  };
}
