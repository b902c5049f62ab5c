import { must } from "@kelp/base";
import type { CheckFinding } from "@kelp/filer";
import type { ForestState } from "./forest-state.ts";
import { judgeForest } from "./judge-forests.ts";
import { observeTree } from "./observe.ts";
import { unsealAll } from "./reshaping.ts";
import type { StoreRig } from "./store-rig.ts";
import { type WorkerState, describeState, usageOf } from "./worker-state.ts";
import { PLAIN_TREE, TIGHT_QUOTA_BYTES, TIGHT_TREE } from "./trees.ts";
import type { WorkerRecord } from "./worker-hand.ts";
import type { WorkloadRecord, WorldState } from "./workload.ts";

/** What is judged: a store after a cut, one that has had time since, or one that was made of a backup. */
export interface Judged {
  readonly moment: number;
  readonly origin: "cut" | "settled" | "backup";
}

/**
 * Compares what a restarted store holds with what was acknowledged before the moment. Throws what does not fit:
 * something acknowledged that is lost, something half there, usage that is not the sum of what is there, a needle that
 * nothing running can have left behind, damage of any kind. Returns what it holds.
 */
export async function judge(
  rig: StoreRig,
  record: WorkloadRecord,
  judged: Judged,
): Promise<WorldState> {
  const { moment, origin } = judged;
  const found = new Map<WorkerRecord, WorkerState>();
  for (const tree of [PLAIN_TREE, TIGHT_TREE]) {
    const lines = await observeTree(rig.filer, tree);
    const workers = record.workers.filter((worker) => worker.tree === tree);
    const states = workers.map((worker) => stateOf(worker, lines, moment));
    for (const [index, worker] of workers.entries()) found.set(worker, must(states[index]));
    const owned = workers.flatMap((worker) => linesOf(worker, lines));
    if (owned.length !== lines.length) throw new Error(`Somebody else's: ${lines.join("\n")}`);
    await judgeUsage(rig, tree, states);
  }
  const forests: ForestState[] = [];
  for (const forest of record.forests) {
    forests.push(await judgeForest(rig, forest, { moment, isSettled: origin === "settled" }));
  }
  const mayRemain = remains(record, judged);
  for await (const finding of rig.filer.check()) {
    if (mayRemain.has(finding.kind)) continue;
    throw new Error(`The check finds ${describe(finding)}`);
  }
  return { workers: record.workers.map((worker) => must(found.get(worker))), forests };
}

/**
 * Does what a server does in its first days, without their length: removes what was promised to go and what nothing names, twice
 * over. Afterwards all must be as before, with nothing left over.
 */
export async function judgeSettled(
  rig: StoreRig,
  record: WorkloadRecord,
  moment: number,
): Promise<void> {
  // Whatever has a lifetime is over, so that none ends between two looks.
  rig.clock.advance(DAY_MS);
  await unsealAll(rig);
  await settle(rig);
  await judge(rig, record, { moment, origin: "settled" });
}

const DAY_MS = 24 * 3600 * 1000;
const ROUNDS_MAX = 100;

async function settle({ filer, clock }: StoreRig): Promise<void> {
  for (let round = 0; ; round += 1) {
    const { hasMore, referencedChunks } = await filer.collect({ graceMs: 0 });
    if (referencedChunks > 0) throw new Error(`${referencedChunks} chunks were freed while named`);
    if (!hasMore) break;
    if (round === ROUNDS_MAX) throw new Error("Work in the background has no end");
    clock.advance(1);
  }
  for (let sweep = 0; sweep < 2; sweep += 1) await filer.sweepOrphans({ graceMs: 0 });
}

/** What an operation that was cut off may leave: a needle that nothing names, whole or torn. A torn one stays until a vacuum. */
function remains(record: WorkloadRecord, { moment, origin }: Judged): Set<CheckFinding["kind"]> {
  if (origin === "backup" || !isAnythingRunning(record, moment)) return new Set();
  return new Set(origin === "cut" ? (["orphan-needle", "debris"] as const) : (["debris"] as const));
}

/** Whether anything was on its way that writes to volumes. */
export function isAnythingRunning(record: WorkloadRecord, moment: number): boolean {
  const { workers, forests, collecting, reshaping, hasFailures } = record;
  return (
    hasFailures ||
    [...workers, ...forests].some(({ history }) => history.isRunning(moment)) ||
    isWithin([...collecting, ...reshaping], moment)
  );
}

function isWithin(periods: WorkloadRecord["collecting"], moment: number): boolean {
  return periods.some(({ start, end }) => start < moment && (end ?? Infinity) > moment);
}

function stateOf(worker: WorkerRecord, lines: readonly string[], moment: number): WorkerState {
  const { states, running } = worker.history.allowed(moment);
  const actual = linesOf(worker, lines).join("\n");
  const match = states.find((state) => describeState(state) === actual);
  if (match !== undefined) return match;
  const expected = states.map(describeState).join("\n-- or --\n");
  throw new Error(
    `${worker.prefix} is in no state it may be in.\nRunning: ${running ?? "nothing"}\nFound:\n${actual}\nAllowed:\n${expected}`,
  );
}

function linesOf(worker: WorkerRecord, lines: readonly string[]): string[] {
  return lines.filter((line) => line.split(" ")[1]?.startsWith(worker.prefix));
}

async function judgeUsage(
  rig: StoreRig,
  tree: typeof PLAIN_TREE,
  states: readonly WorkerState[],
): Promise<void> {
  const usage = (await rig.filer.getTree(tree))?.usage;
  const sums = states.map(usageOf);
  const bytes = sums.reduce((sum, one) => sum + one.bytes, 0);
  const entries = sums.reduce((sum, one) => sum + one.entries, 0);
  if (usage?.bytes !== bytes || usage.entries !== entries) {
    throw new Error(
      `Usage of ${tree} is ${JSON.stringify(usage)}, counted ${bytes} bytes in ${entries} entries`,
    );
  }
  if (tree === TIGHT_TREE && bytes > TIGHT_QUOTA_BYTES) throw new Error("The quota is overrun");
}

function describe(finding: CheckFinding): string {
  return JSON.stringify(finding, (_, value: unknown) =>
    typeof value === "bigint" ? value.toString(16) : value,
  );
}
