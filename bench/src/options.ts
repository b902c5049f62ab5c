import { type Peer, parsePeer } from "./target.ts";

/** What the command line says besides the suites. */
export interface SuiteOptions {
  readonly peers: readonly Peer[];
  /** Objects of the load that only creates. */
  readonly creates: number;
  /** Entries of the tree that the filer is measured on. */
  readonly entries: number;
  /** Jobs that are measured, and how often quiet and busy windows take turns. */
  readonly jobs: readonly string[];
  readonly rounds: number;
}

const CREATES_DEFAULT = 100_000;
const ENTRIES_DEFAULT = 1_000_000;
const JOBS_DEFAULT = "vacuum,scrub,encode";
const ROUNDS_DEFAULT = 5;

/** Takes `--peer NAME=URL,KEY,SECRET` (as often as wanted) `--creates N`, `--entries N`, `--jobs NAME[,NAME…]` and `--rounds N` out of the words. */
export function parseOptions(words: readonly string[]): {
  readonly suites: readonly string[];
  readonly options: SuiteOptions;
} {
  const suites: string[] = [];
  const peers: Peer[] = [];
  let creates = CREATES_DEFAULT;
  let entries = ENTRIES_DEFAULT;
  let jobs = JOBS_DEFAULT;
  let rounds = ROUNDS_DEFAULT;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--peer") peers.push(parsePeer(words[++at] ?? ""));
    else if (word === "--creates") creates = Number(words[++at]);
    else if (word === "--entries") entries = Number(words[++at]);
    else if (word === "--jobs") jobs = words[++at] ?? "";
    else if (word === "--rounds") rounds = Number(words[++at]);
    else suites.push(word);
  }
  if (!Number.isSafeInteger(creates) || creates < 0) throw new Error("--creates takes a count");
  if (!Number.isSafeInteger(entries) || entries < 1) throw new Error("--entries takes a count");
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error("--rounds takes a count");
  return { suites, options: { peers, creates, entries, jobs: jobs.split(","), rounds } };
}
