import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { randomInt } from "node:crypto";
import type { Moment } from "./crash-plan.ts";

/** A completion that was asked for and not answered: may be repeated. */
export interface UnansweredCompletion {
  readonly key: string;
  readonly uploadId: string;
  readonly body: string;
}

/** A snapshot or copy of the bucket that was asked for, with what it holds of a round that was over by then. */
export interface BucketCopy {
  readonly kind: "snapshot" | "clone";
  readonly name: string;
  readonly prefix: string;
  readonly isAcknowledged: boolean;
}

interface Saved {
  readonly seed: number;
  readonly round: number;
  readonly oldestRound: number;
  readonly present: readonly string[];
  readonly gone: readonly string[];
  readonly counters: readonly (readonly [string, number])[];
  readonly completions: readonly UnansweredCompletion[];
  readonly copies: readonly BucketCopy[];
  readonly removing: readonly string[];
  readonly inside: Partial<Record<Moment, number>>;
  readonly runs: readonly string[];
}

/** What a server has acknowledged over many lives. Kept in a file, so that a long test can be gone on with. */
export class CrashLedger {
  /** Plans follow from it. */
  seed = randomInt(2 ** 32);
  round = 0;
  /** What earlier rounds wrote has been removed. */
  oldestRound = 0;
  /** Keys that must be there. */
  readonly present = new Set<string>();
  /** Keys that must not be there, of rounds that are kept. */
  readonly gone = new Set<string>();
  completions: UnansweredCompletion[] = [];
  copies: BucketCopy[] = [];
  /** Prefixes whose removal was asked for and not answered: all of it is there, or nothing. */
  removing: string[] = [];
  /** How often a kill came while the moment's request was unanswered. */
  readonly inside: Partial<Record<Moment, number>> = {};
  /** Ids of pipeline runs. */
  runs: string[] = [];
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
    ledger.seed = saved.seed;
    ledger.round = saved.round;
    ledger.oldestRound = saved.oldestRound;
    for (const key of saved.present) ledger.present.add(key);
    for (const key of saved.gone) ledger.gone.add(key);
    for (const [key, counter] of saved.counters) ledger.#counters.set(key, counter);
    ledger.completions = [...saved.completions];
    ledger.copies = [...saved.copies];
    ledger.removing = [...saved.removing];
    ledger.runs = [...saved.runs];
    Object.assign(ledger.inside, saved.inside);
    return ledger;
  }

  /** `round` is the next one to be done when the test is gone on with. */
  save(): void {
    const { seed, round, oldestRound, completions, copies, removing, inside, runs } = this;
    const saved: Saved = {
      seed,
      round,
      oldestRound,
      present: [...this.present],
      gone: [...this.gone],
      counters: [...this.#counters],
      completions,
      copies,
      removing,
      inside,
      runs,
    };
    writeFileSync(`${this.#file}.new`, JSON.stringify(saved));
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** The acknowledged content of an overwritten key. */
  overwritten(key: string, counter: number): void {
    this.#counters.set(key, counter);
  }

  /** What was under the prefix must be away from now on. */
  removed(prefix: string): void {
    for (const keys of [this.present, this.gone]) {
      for (const key of keys) if (key.startsWith(prefix)) keys.delete(key);
    }
    this.removing = this.removing.filter((other) => other !== prefix);
  }

  /** What a reader met of everything that begins with one of the prefixes, against what must be there. */
  compare(read: ReadObjects, prefixes: readonly string[]): Record<string, string[]> {
    const isAskedFor = (key: string): boolean => prefixes.some((prefix) => key.startsWith(prefix));
    const lost = [...this.present, ...this.#counters.keys()].filter(
      (key) => isAskedFor(key) && !read.listed.has(key),
    );
    const cameBack = [...read.listed].filter(
      (key) => this.gone.has(key) || roundOf(key) < this.oldestRound,
    );
    const wentBack = [...read.latest]
      .filter(([key, counter]) => counter < (this.#counters.get(key) ?? 0))
      .map(([key]) => key);
    return { lost, foreign: [...read.foreign], wentBack, cameBack };
  }
}

export interface ReadObjects {
  readonly listed: ReadonlySet<string>;
  /** Keys whose bytes are nobody's. */
  readonly foreign: readonly string[];
  /** Which write an overwritten key is from. */
  readonly latest: ReadonlyMap<string, number>;
}

/** Infinity of a key that no round begins. */
function roundOf(key: string): number {
  const found = /^round-(\d+)\//.exec(key);
  return found === null ? Infinity : Number(found[1]);
}
