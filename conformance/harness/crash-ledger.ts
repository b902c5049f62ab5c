import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

interface Saved {
  readonly round: number;
  readonly present: readonly string[];
  readonly gone: readonly string[];
  readonly counters: readonly (readonly [string, number])[];
}

/** What a server has acknowledged over many lives. Kept in a file, so that a long test can be gone on with. */
export class CrashLedger {
  round = 0;
  /** Keys that must be there. */
  readonly present = new Set<string>();
  /** Keys that must not be there. */
  readonly gone = new Set<string>();
  /** The newest acknowledged content of keys that are written again and again. */
  readonly #counters = new Map<string, number>();
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  /** An empty one when there is no file. */
  static open(file: string): CrashLedger {
    const ledger = new CrashLedger(file);
    if (!existsSync(file)) return ledger;
    const saved: Saved = JSON.parse(readFileSync(file, "utf8"));
    ledger.round = saved.round;
    for (const key of saved.present) ledger.present.add(key);
    for (const key of saved.gone) ledger.gone.add(key);
    for (const [key, counter] of saved.counters) ledger.#counters.set(key, counter);
    return ledger;
  }

  /** As of the rounds that are over: the next one is the next to be done. */
  save(): void {
    const saved: Saved = {
      round: this.round + 1,
      present: [...this.present],
      gone: [...this.gone],
      counters: [...this.#counters],
    };
    writeFileSync(`${this.#file}.new`, JSON.stringify(saved));
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** A line of a writer. A key whose removal was asked for and not answered may be there or not. */
  take(line: string): void {
    const [kind, key = "", counter] = line.split(" ");
    if (kind === "object") this.present.add(key);
    if (kind === "removing") this.present.delete(key);
    if (kind === "gone") this.gone.add(key);
    if (kind === "latest") this.#counters.set(key, Number(counter));
  }

  /** Lines of a reader of everything that begins with one of the prefixes, against what must be there. */
  compare(lines: readonly string[], prefixes: readonly string[]): Record<string, string[]> {
    const listed = new Set<string>();
    const foreign: string[] = [];
    const wentBack: string[] = [];
    for (const line of lines) {
      const [kind, key = "", counter] = line.split(" ");
      if (kind === "listed") listed.add(key);
      if (kind === "foreign") foreign.push(key);
      if (kind === "latest" && Number(counter) < (this.#counters.get(key) ?? 0)) wentBack.push(key);
    }
    const isAskedFor = (key: string): boolean => prefixes.some((prefix) => key.startsWith(prefix));
    const lost = [...this.present, ...this.#counters.keys()].filter(
      (key) => isAskedFor(key) && !listed.has(key),
    );
    const cameBack = [...this.gone].filter((key) => listed.has(key));
    return { lost, foreign, wentBack, cameBack };
  }
}
