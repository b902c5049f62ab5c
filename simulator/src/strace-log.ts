import type { DiskEvent } from "@kelp/base/testing";

/** A call of a watched process, whole: split ones are joined. */
interface Call {
  readonly name: string;
  readonly text: string;
  readonly result: number;
}

/** What a watched process did to one folder, as the simulated disk logs it, and what it printed when. */
export interface TracedRun {
  readonly events: readonly DiskEvent[];
  /** Printed lines, each with the number of events before it. */
  readonly lines: readonly { readonly text: string; readonly moment: number }[];
  /** Path of each file number. */
  readonly files: ReadonlyMap<number, string>;
}

/** Arguments of `strace` whose output `readTrace` understands; the command follows them. */
export function straceArguments(output: string): string[] {
  const calls =
    "openat,close,pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename,fallocate,pwritev";
  return ["-f", "-xx", "-s", "16384", "-e", `trace=${calls}`, "-o", output];
}

/** `ignores` are files whose content matters to nobody after a restart. Throws for a call on others that it does not know. */
export function readTrace(
  trace: string,
  folder: string,
  ignores: (path: string) => boolean,
): TracedRun {
  const reader = new TraceReader(folder, ignores);
  for (const call of callsOf(trace)) reader.take(call);
  return reader;
}

class TraceReader implements TracedRun {
  readonly events: DiskEvent[] = [];
  readonly lines: { text: string; moment: number }[] = [];
  readonly files = new Map<number, string>();
  readonly #folder: string;
  readonly #ignores: (path: string) => boolean;
  readonly #open = new Map<number, string>();
  readonly #numbers = new Map<string, number>();

  constructor(folder: string, ignores: (path: string) => boolean) {
    this.#folder = folder;
    this.#ignores = ignores;
  }

  take({ name, text, result }: Call): void {
    if (result < 0) return;
    if (name === "openat") return this.#opened(stringIn(text), text, result);
    if (name === "unlink") return this.#removed(stringIn(text));
    const fd = Number(/^\d+/.exec(text)?.[0]);
    if (name === "write" && fd === 1) {
      this.lines.push({ text: stringIn(text).trim(), moment: this.events.length });
      return;
    }
    const path = this.#open.get(fd);
    if (name === "close") this.#open.delete(fd);
    if (path === undefined || name === "close") return;
    const before = this.events.length;
    if (path === this.#folder) {
      this.events.push({ kind: "sync-folder", path, before });
      return;
    }
    const file = this.#numbers.get(path);
    if (file === undefined) return;
    switch (name) {
      case "pwrite64":
        return this.#wrote(file, text, result);
      case "fsync":
      case "fdatasync":
        this.events.push({ kind: "sync", file, before });
        return;
      case "ftruncate":
        this.events.push({ kind: "truncate", file, sizeBytes: lastNumber(text) });
        return;
      default:
        throw new Error(`Cannot read the trace: ${name} on ${path}`);
    }
  }

  #opened(path: string, text: string, fd: number): void {
    if (path !== this.#folder && !path.startsWith(`${this.#folder}/`)) return;
    this.#open.set(fd, path);
    if (path === this.#folder || this.#ignores(path) || this.#numbers.has(path)) return;
    if (!text.includes("O_CREAT")) return;
    const file = this.files.size + 1;
    this.#numbers.set(path, file);
    this.files.set(file, path);
    this.events.push({ kind: "create", path, file });
  }

  #removed(path: string): void {
    if (!this.#numbers.delete(path)) return;
    this.events.push({ kind: "remove", path });
  }

  #wrote(file: number, text: string, count: number): void {
    const bytes = bytesIn(text).subarray(0, count);
    if (bytes.length !== count) throw new Error("Cannot read the trace: a write is cut short");
    this.events.push({ kind: "write", file, offset: lastNumber(text), bytes });
  }
}

/** Joins `call(… <unfinished ...>` of a thread with its `<... call resumed> …`. */
function* callsOf(trace: string): Generator<Call> {
  const unfinished = new Map<string, string>();
  for (const line of trace.split("\n")) {
    const [, thread = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    let text = rest;
    if (text.endsWith("<unfinished ...>")) {
      unfinished.set(thread, text.slice(0, -"<unfinished ...>".length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    if (resumed !== null) {
      text = (unfinished.get(thread) ?? "") + (resumed[1] ?? "");
      unfinished.delete(thread);
    }
    const call = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(text);
    if (call !== null) {
      yield { name: call[1] ?? "", text: call[2] ?? "", result: Number(call[3]) };
    }
  }
}

function bytesIn(text: string): Buffer {
  const digits = /"((?:\\x[0-9a-f]{2})*)"/.exec(text)?.[1] ?? "";
  return Buffer.from(digits.replaceAll("\\x", ""), "hex");
}

function stringIn(text: string): string {
  return bytesIn(text).toString();
}

function lastNumber(text: string): number {
  return Number(/(\d+)\s*$/.exec(text)?.[1]);
}
