import {
  type AppendFile,
  type ByteStream,
  type LocalFiles,
  type Log,
  assert,
  utf8,
  utf8Text,
} from "@kelp/base";
import type { ObjectStore } from "@kelp/wire";
import type { StepLog } from "../executor/executor.ts";
import type { ObjectAddress } from "../run/uri.ts";

/** Bytes kept of one attempt's log; what comes after is counted and dropped. */
export const LOG_BYTES_MAX = 64 * 1024 * 1024;
/** Lines kept in memory for messages. */
export const TAIL_LINES = 20;
/** Of each of those lines. */
export const TAIL_LINE_LENGTH_MAX = 2000;
/** Attempts whose logs one reader is shown. */
export const LOG_ATTEMPTS_MAX = 100;

export interface StepLogsDeps {
  readonly files: LocalFiles;
  readonly objects: ObjectStore;
  readonly log: Log;
  /** Folder of logs of steps that run now. */
  readonly folder: string;
  /** Where the log of an attempt is kept for good. */
  readonly address: (attempt: LogAttempt) => ObjectAddress;
}

export interface LogAttempt {
  readonly runId: string;
  readonly taskId: string;
  readonly attempt: number;
}

/**
 * What steps print: a local file while the step runs, which readers can follow, and an object once it has ended. The
 * file is removed only after the object is there, so a log is always in one place at least.
 */
export class StepLogs {
  readonly #deps: StepLogsDeps;
  readonly #live = new Map<string, LiveLog>();

  constructor(deps: StepLogsDeps) {
    this.#deps = deps;
  }

  /** Starts the log of an attempt, over anything that a broken-off one left. */
  async open(attempt: LogAttempt): Promise<LiveLog> {
    const path = this.#path(attempt);
    await this.#deps.files.removeTree(path);
    const live = new LiveLog(await this.#deps.files.openAppend(path));
    this.#live.set(path, live);
    return live;
  }

  /** Ends an attempt's log and puts it into the store. A failure to store it is logged, the file stays then. */
  async close(attempt: LogAttempt, live: LiveLog): Promise<void> {
    await live.end();
    const path = this.#path(attempt);
    try {
      const { bucket, key } = this.#deps.address(attempt);
      const body = this.#deps.files.read(path);
      await this.#deps.objects.putObject({
        bucket,
        key,
        body,
        contentType: "text/plain; charset=utf-8",
      });
      await this.#deps.files.removeTree(path);
    } catch (error) {
      this.#deps.log.warn("cannot keep a step's log in the store", { path, error: String(error) });
    } finally {
      this.#live.delete(path);
    }
  }

  /** The log of an attempt: from the file while it runs (to its end with `follow`), else from the store. */
  async *read(attempt: LogAttempt, follow: boolean, signal: AbortSignal): ByteStream {
    const path = this.#path(attempt);
    const live = this.#live.get(path);
    if (live !== undefined) {
      yield* this.#readLive(path, live, follow, signal);
      return;
    }
    if ((await this.#deps.files.describe(path))?.kind === "file") {
      yield* this.#deps.files.read(path);
      return;
    }
    const { bucket, key } = this.#deps.address(attempt);
    const stored = await this.#deps.objects.getObject(bucket, key);
    if (stored !== undefined) yield* stored.body;
  }

  async *#readLive(path: string, live: LiveLog, follow: boolean, signal: AbortSignal): ByteStream {
    let offset = 0;
    for (;;) {
      const isEnded = live.isEnded;
      const written = live.sizeBytes;
      // The file can be gone by now: it ended, was stored and removed; then the rest comes from the store.
      if (offset < written && (await this.#deps.files.describe(path)) === undefined) {
        yield* this.#readStored(path, offset);
        return;
      }
      if (offset < written) {
        for await (const piece of this.#deps.files.read(path, offset)) {
          offset += piece.length;
          yield piece;
        }
      }
      if (!follow || isEnded || signal.aborted) return;
      if (offset >= live.sizeBytes) await live.changed(signal);
    }
  }

  async *#readStored(path: string, offset: number): ByteStream {
    const [runId = "", taskId = "", name = ""] = path
      .slice(this.#deps.folder.length + 1)
      .split("/");
    const attempt = Number.parseInt(name, 10);
    const { bucket, key } = this.#deps.address({ runId, taskId, attempt });
    const stored = await this.#deps.objects.getObject(bucket, key);
    let left = offset;
    for await (const piece of stored?.body ?? []) {
      if (left < piece.length) yield piece.subarray(left);
      left = Math.max(0, left - piece.length);
    }
  }

  #path({ runId, taskId, attempt }: LogAttempt): string {
    return `${this.#deps.folder}/${runId}/${taskId}/${attempt}.log`;
  }
}

/** The log of an attempt that is running. */
export class LiveLog implements StepLog {
  readonly #file: AppendFile;
  readonly #tail: string[] = [];
  #partial = "";
  #sizeBytes = 0;
  #droppedBytes = 0;
  #isEnded = false;
  #waiting: (() => void)[] = [];

  constructor(file: AppendFile) {
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  write(bytes: Uint8Array): void {
    assert(!this.#isEnded, "an ended log takes nothing more");
    this.#remember(utf8Text(bytes));
    const room = LOG_BYTES_MAX - this.#sizeBytes;
    if (bytes.length > room) this.#droppedBytes += bytes.length - Math.max(0, room);
    if (room <= 0) return;
    this.#append(bytes.length > room ? bytes.subarray(0, room) : bytes);
  }

  note(text: string): void {
    if (this.#isEnded) return;
    this.#append(utf8(`[kelp] ${text}\n`));
  }

  tail(): readonly string[] {
    return this.#partial === "" ? this.#tail : [...this.#tail, this.#partial].slice(-TAIL_LINES);
  }

  async end(): Promise<void> {
    if (this.#droppedBytes > 0) {
      this.note(`the log ends here: ${this.#droppedBytes} more bytes were dropped`);
    }
    this.#isEnded = true;
    await this.#file.close();
    this.#wake();
  }

  /** Resolves when more was written, the log ended, or the signal aborted. */
  changed(signal: AbortSignal): Promise<void> {
    if (this.#isEnded || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener("abort", done);
        resolve();
      };
      signal.addEventListener("abort", done, { once: true });
      this.#waiting.push(done);
    });
  }

  #append(bytes: Uint8Array): void {
    this.#file.append(bytes);
    this.#sizeBytes += bytes.length;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #remember(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = (lines.pop() ?? "").slice(0, TAIL_LINE_LENGTH_MAX);
    // Only the last lines can stay, so the others are not even looked at.
    for (const line of lines.slice(-TAIL_LINES)) {
      this.#tail.push(line.slice(0, TAIL_LINE_LENGTH_MAX));
    }
    this.#tail.splice(0, Math.max(0, this.#tail.length - TAIL_LINES));
  }
}
