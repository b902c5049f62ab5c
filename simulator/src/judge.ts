import { must } from "@kelp/base";
import type { DiskImage } from "@kelp/base/testing";
import {
  type ByteSource,
  checkShards,
  checkVolume,
  parseVolumeInfo,
  sourceOf,
} from "@kelp/conformance/checker";
import type { CheckFinding } from "@kelp/filer";
import { observeTree } from "./observe.ts";
import { SHARD_BLOCKS, type StoreRig } from "./store-rig.ts";
import { type WorkerState, describeState, usageOf } from "./worker-state.ts";
import {
  PLAIN_TREE,
  TIGHT_QUOTA_BYTES,
  TIGHT_TREE,
  type WorkerRecord,
  type WorkloadRecord,
} from "./workload.ts";

const BLOCKS = {
  largeBytes: SHARD_BLOCKS.largeBlockBytes,
  smallBytes: SHARD_BLOCKS.smallBlockBytes,
};

/**
 * Compares what a restarted store holds with what was acknowledged before `moment`. Throws what does not fit:
 * something acknowledged that is lost, something half there, usage that is not the sum of what is there, a needle that
 * nothing running can have left behind, damage of any kind. Returns the state of each worker's part.
 */
export async function judge(
  rig: StoreRig,
  record: WorkloadRecord,
  moment: number,
): Promise<readonly WorkerState[]> {
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
  const isRunning = isAnythingRunning(record, moment);
  for await (const finding of rig.filer.check()) {
    if (isRunning && isLeftover(finding)) continue;
    throw new Error(`The check finds ${describe(finding)}`);
  }
  return record.workers.map((worker) => must(found.get(worker)));
}

/**
 * Reads the volume files of a store that was closed, with the checker that shares no code with it: every byte belongs to
 * a record, every record is whole, and the index says the same. A cut may leave a torn record only where something was running.
 */
export function judgeVolumes(image: DiskImage, record: WorkloadRecord, moment: number): void {
  if (!record.hasFailures) judgeAllShards(image);
  if (isAnythingRunning(record, moment)) return;
  for (const [path, data] of image) {
    if (data === undefined || !path.endsWith(".dat")) continue;
    const index = image.get(path.replace(/dat$/, "idx"));
    const { problems } = checkVolume({ data: sourceOf(data), index: index && sourceOf(index) });
    if (problems.length > 0) throw new Error(`${path}: ${problems.join("; ")}`);
  }
}

/** Shards are whole or not there after every cut: bits that the workload flipped a scrub has made good before. */
function judgeAllShards(image: DiskImage): void {
  for (const [path, bytes] of image) {
    if (bytes !== undefined && path.endsWith(".ecx")) {
      judgeShards(image, path.slice(0, -".ecx".length));
    }
  }
}

function judgeShards(image: DiskImage, base: string): void {
  const file = (end: string): ByteSource | undefined => {
    const bytes = image.get(`${base}${end}`);
    return bytes && sourceOf(bytes);
  };
  const shards = new Map<number, ByteSource>();
  for (let number = 0; number < 100; number++) {
    const shard = file(`.ec${String(number).padStart(2, "0")}`);
    if (shard !== undefined) shards.set(number, shard);
  }
  const info = parseVolumeInfo(Buffer.from(image.get(`${base}.vif`) ?? "{}").toString());
  const parts = { shards, index: must(file(".ecx")), journal: file(".ecj"), sums: file(".ecsum") };
  const problems = checkShards({ ...parts, info }, BLOCKS);
  if (shards.size !== info.dataShards + info.parityShards) problems.push("shards are missing");
  if (problems.length > 0) throw new Error(`${base}: ${problems.join("; ")}`);
}

function isAnythingRunning({ workers, collecting, hasFailures }: WorkloadRecord, moment: number) {
  return (
    hasFailures ||
    workers.some(({ history }) => history.isRunning(moment)) ||
    isWithin(collecting, moment)
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

/** What an operation that was cut off may leave: a needle that nothing names, whole or torn. */
function isLeftover(finding: CheckFinding): boolean {
  return finding.kind === "orphan-needle" || finding.kind === "corrupt-needle";
}

function describe(finding: CheckFinding): string {
  return JSON.stringify(finding, (_, value: unknown) =>
    typeof value === "bigint" ? value.toString(16) : value,
  );
}
