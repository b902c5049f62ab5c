/** Lines kept of one log; older ones are dropped, and the view says so. */
export const LOG_LINE_COUNT_MAX = 100_000;
const LINE_LENGTH_MAX = 10_000;

export interface LogSnapshot {
  readonly lines: readonly string[];
  readonly droppedCount: number;
  readonly phase: LogPhase;
}

export type LogPhase =
  | { readonly kind: "open" }
  | { readonly kind: "ended" }
  | { readonly kind: "failed"; readonly error: unknown };

const EMPTY: LogSnapshot = { lines: [], droppedCount: 0, phase: { kind: "open" } };

/** Collects the pieces of a log into lines. Watchers hear of changes at most once per `schedule` turn. */
export class LogBuffer {
  #snapshot = EMPTY;
  #lines: string[] = [];
  #tail = "";
  #droppedCount = 0;
  #phase: LogPhase = { kind: "open" };
  #isScheduled = false;
  readonly #listeners = new Set<() => void>();
  readonly #schedule: (run: () => void) => void;

  constructor(schedule: (run: () => void) => void) {
    this.#schedule = schedule;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): LogSnapshot => this.#snapshot;

  append(piece: string): void {
    const parts = `${this.#tail}${piece}`.split("\n");
    this.#tail = (parts.pop() ?? "").slice(0, LINE_LENGTH_MAX);
    for (const part of parts) this.#lines.push(cleanLine(part));
    // Dropping a tenth at once keeps the cost of a full buffer per line constant.
    if (this.#lines.length > LOG_LINE_COUNT_MAX) {
      const excess = this.#lines.length - Math.floor(LOG_LINE_COUNT_MAX * 0.9);
      this.#lines.splice(0, excess);
      this.#droppedCount += excess;
    }
    this.#announce();
  }

  end(phase: LogPhase): void {
    this.#phase = phase;
    this.#announce();
  }

  #announce(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      this.#snapshot = {
        lines: this.#tail === "" ? [...this.#lines] : [...this.#lines, cleanLine(this.#tail)],
        droppedCount: this.#droppedCount,
        phase: this.#phase,
      };
      for (const listener of this.#listeners) listener();
    });
  }
}

/** Without colour codes; a line that was redrawn (progress bars) shows its last state. */
function cleanLine(line: string): string {
  const end = line.endsWith("\r") ? line.slice(0, -1) : line;
  const redrawn = end.slice(end.lastIndexOf("\r") + 1);
  // oxlint-disable-next-line no-control-regex
  return redrawn.replaceAll(/\u001B\[[0-9;?]*[A-Za-z]/g, "").slice(0, LINE_LENGTH_MAX);
}
