import { type Clock, type Processes, type RunningProcess, utf8Text } from "@kelp/base";

/** Output kept of a helper program. */
const PROGRAM_OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

export interface ProgramRequest {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Called with what is printed to either stream, as it comes. */
  readonly onOutput?: (bytes: Uint8Array) => void;
}

export interface ProgramResult {
  readonly isGood: boolean;
  readonly output: string;
}

/** Runs a helper program to its end and gives back what it printed to standard output. Killed when `signal` aborts. */
export async function runProgram(
  processes: Processes,
  request: ProgramRequest,
  signal: AbortSignal,
): Promise<ProgramResult> {
  signal.throwIfAborted();
  const child = processes.start(request);
  const kill = (): void => processes.killGroup(child.pid, "SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  try {
    const pieces: Uint8Array[] = [];
    let sizeBytes = 0;
    await readBoth(child, (bytes, stream) => {
      request.onOutput?.(bytes);
      sizeBytes += bytes.length;
      if (stream === "stdout" && sizeBytes <= PROGRAM_OUTPUT_BYTES_MAX) pieces.push(bytes);
    });
    const exit = await child.exited;
    signal.throwIfAborted();
    const isGood = exit.kind === "code" && exit.code === 0;
    return { isGood, output: utf8Text(Buffer.concat(pieces)) };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/** Reads both streams until they end. */
export async function readBoth(
  child: RunningProcess,
  take: (bytes: Uint8Array, stream: "stdout" | "stderr") => void,
): Promise<void> {
  const read = async (stream: "stdout" | "stderr"): Promise<void> => {
    for await (const bytes of child[stream]) take(bytes, stream);
  };
  await Promise.all([read("stdout"), read("stderr")]);
}

/** Resolves when the work is done or after `limitMs`, whichever is first. */
export async function withinMs(clock: Clock, work: Promise<void>, limitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.schedule(limitMs, resolve);
  try {
    await Promise.race([work, promise]);
  } finally {
    timer.cancel();
  }
}
