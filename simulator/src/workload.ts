import type { SeededRandom } from "@kelp/base/testing";
import { VolumeError } from "@kelp/volume";
import { type BackupRun, backUp } from "./backups.ts";
import { ForestHand, type ForestRecord, createForest, firstForest } from "./forest-hand.ts";
import type { ForestState } from "./forest-state.ts";
import { History } from "./history.ts";
import { reshapeOne, unsealAll, vacuumOne } from "./reshaping.ts";
import type { StoreRig } from "./store-rig.ts";
import { PLAIN_TREE, TIGHT_QUOTA_BYTES, TIGHT_TREE } from "./trees.ts";
import { WorkerHand, type WorkerRecord } from "./worker-hand.ts";
import { EMPTY_STATE, type WorkerState } from "./worker-state.ts";

/** Changes of form after the others are done: beside them one takes most of a run. */
const RESHAPED_AFTERWARDS = 6;

/** What workers did, for whoever judges a cut. */
export interface WorkloadRecord {
  readonly workers: readonly WorkerRecord[];
  readonly forests: readonly ForestRecord[];
  readonly backups: readonly BackupRun[];
  /** The disk fails now and then: an operation may throw, and has changed nothing then. */
  readonly hasFailures: boolean;
  /** Moments between which the collector ran. */
  readonly collecting: { readonly start: number; end: number | undefined }[];
  /** Moments between which volumes were given other forms. */
  readonly reshaping: { readonly start: number; end: number | undefined }[];
}

/** What every worker's part holds. */
export interface WorldState {
  readonly workers: readonly WorkerState[];
  readonly forests: readonly ForestState[];
}

const FORESTS = [
  { prefix: "plain-", hasLifetimes: false },
  { prefix: "brief-", hasLifetimes: true },
];

export async function createTrees(rig: StoreRig): Promise<void> {
  const { filer } = rig;
  await filer.createTree({ name: PLAIN_TREE, kind: "bucket", owner: "ada" });
  await filer.createTree({ name: TIGHT_TREE, kind: "bucket", owner: "ada" });
  await filer.setQuota(TIGHT_TREE, { bytes: TIGHT_QUOTA_BYTES });
  for (const forest of FORESTS) await createForest(rig, firstForest(forest));
}

/** Several workers at once, each with keys or trees of its own, a collector of garbage, and backups. */
export class Workload {
  readonly record: WorkloadRecord;
  readonly #backups: BackupRun[] = [];
  readonly #random: SeededRandom;
  readonly #changes: SeededRandom;

  /** `start`: what the workers' parts hold at the beginning. Default: what `createTrees` makes. */
  constructor(
    random: SeededRandom,
    workerCount: number,
    options: { readonly hasFailures?: boolean; readonly start?: WorldState } = {},
  ) {
    const { hasFailures = false, start } = options;
    this.#random = random;
    this.#changes = random.fork(1000);
    this.record = {
      hasFailures,
      workers: Array.from({ length: workerCount }, (_, index) => ({
        tree: index % 3 === 2 ? TIGHT_TREE : PLAIN_TREE,
        prefix: `w${index}/`,
        history: new History(start?.workers[index] ?? EMPTY_STATE),
      })),
      forests: FORESTS.map((forest, index) => ({
        ...forest,
        history: new History(start?.forests[index] ?? firstForest(forest)),
      })),
      backups: this.#backups,
      collecting: [],
      reshaping: [],
    };
  }

  /** Each worker does `stepCount` operations. */
  async run(rig: StoreRig, stepCount: number): Promise<void> {
    const done = new AbortController();
    const helpers = [
      this.#collect(rig, done.signal),
      this.#reshape(rig, done.signal),
      this.#backUp(rig, done.signal),
    ];
    const toleratesFailures = this.record.hasFailures;
    const hands = [
      ...this.record.workers.map(
        (worker, index) => new WorkerHand(rig, worker, this.#random.fork(index), toleratesFailures),
      ),
      ...this.record.forests.map((forest, index) => {
        const random = this.#random.fork(2000 + index);
        return new ForestHand(rig, forest, { random, toleratesFailures });
      }),
    ];
    const working = hands.map(async (hand) => {
      for (let step = 0; step < stepCount; step += 1) await hand.step();
    });
    await Promise.all(working);
    done.abort();
    await Promise.all(helpers);
  }

  /** One after another, with rests in which the collector may free something. */
  async #backUp(rig: StoreRig, done: AbortSignal): Promise<void> {
    const random = this.#random.fork(3000);
    for (;;) {
      await rest(30 + random.below(200));
      if (done.aborted) return;
      // Names of backups tell their order by the time.
      rig.clock.advance(1);
      const start = rig.disk.moment;
      const run: BackupRun = { start, copied: undefined, end: undefined, id: undefined };
      this.#backups.push(run);
      try {
        await backUp(rig, random, run);
      } catch (error) {
        if (!this.record.hasFailures) throw error;
      }
    }
  }

  async #collect(rig: StoreRig, done: AbortSignal): Promise<void> {
    while (!done.aborted) {
      await rest(20);
      await this.#noted(rig, this.record.collecting, async () => {
        try {
          await rig.filer.collect({ graceMs: 0 });
        } catch (error) {
          // A volume that is about to get another form takes no removals until it has it.
          if (!(error instanceof VolumeError) || error.code !== "read-only") throw error;
        }
      });
    }
  }

  async #reshape(rig: StoreRig, done: AbortSignal): Promise<void> {
    const mayDamage = !this.record.hasFailures;
    for (let left = RESHAPED_AFTERWARDS; left > 0; left -= done.aborted ? 1 : 0) {
      await rest(1);
      await unsealAll(rig);
      await this.#noted(rig, this.record.reshaping, async () => {
        if (this.#changes.chance(0.2)) await vacuumOne(rig, this.#changes);
        else await reshapeOne(rig, this.#changes, { mayDamage });
      });
    }
  }

  /** Does some work and notes when. */
  async #noted(
    { disk }: StoreRig,
    periods: { readonly start: number; end: number | undefined }[],
    work: () => Promise<void>,
  ): Promise<void> {
    const period = { start: disk.moment, end: undefined as number | undefined };
    periods.push(period);
    try {
      await work();
    } catch (error) {
      if (!this.record.hasFailures) throw error;
    }
    period.end = disk.moment;
  }
}

async function rest(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
