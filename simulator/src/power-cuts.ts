import type { Disk } from "@kelp/base";
import { type DiskImage, FaultyDisk, type PowerCutDisk, SeededRandom } from "@kelp/base/testing";
import { type CutRun, judgeBackups, judgeNextBackup } from "./judge-backups.ts";
import { judgeVolumes } from "./judge-files.ts";
import { judge, judgeSettled } from "./judge.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import { type StoreRig, openRig } from "./store-rig.ts";
import { Workload, createTrees } from "./workload.ts";

/** Cuts made of one run of the workload. */
const CUTS_PER_RUN = 125;
const WORKERS = 6;
const STEPS_PER_WORKER = 90;

/** Parts of the cuts after which a backup is restored, one is made, and the background has its time. */
const BACKUPS_JUDGED = 0.15;
const SETTLED = 0.3;

/**
 * - `none`            the disk does what it says
 * - `failing`         writes and syncs of volumes fail now and then
 * - `filling`         the disk has no space now and then
 * - `forgets-files`   syncs of files do nothing: the store must lose something, or the judge is blind
 * - `forgets-folders` the same for syncs of folders
 */
export type Trouble = "none" | "failing" | "filling" | "forgets-files" | "forgets-folders";

export interface PowerCutOptions {
  readonly cutCount: number;
  readonly trouble: Trouble;
  /** Of the first run; the others follow. Default 1: with another a long test goes on where one ended. */
  readonly firstSeed?: number;
  /** `seed:cut` of a failure, to see it again. */
  readonly replay?: string;
}

export interface PowerCutReport {
  readonly cutCount: number;
  /** Each begins with what shows it again. */
  readonly failures: readonly string[];
}

/**
 * Runs the store under a workload, cuts the power at many moments, restarts it on what is left and judges that. Some
 * restarts are cut as well: repairing must survive it. Stops at the first failure.
 */
export async function runPowerCuts(options: PowerCutOptions): Promise<PowerCutReport> {
  const [replaySeed, replayCut] = options.replay?.split(":").map(Number) ?? [];
  const failures: string[] = [];
  let cutCount = 0;
  let seed = replaySeed ?? options.firstSeed ?? 1;
  while (cutCount < options.cutCount && failures.length === 0) {
    const count = Math.min(CUTS_PER_RUN, options.cutCount - cutCount);
    failures.push(...(await runOnce(options.trouble, seed, { count, only: replayCut })));
    cutCount += count;
    seed += 1;
    if (replaySeed !== undefined) break;
  }
  return { cutCount, failures };
}

async function runOnce(
  trouble: Trouble,
  seed: number,
  wanted: { readonly count: number; readonly only: number | undefined },
): Promise<string[]> {
  const random = new SeededRandom(seed);
  const workload = new Workload(random.fork(1), WORKERS, { hasFailures: trouble !== "none" });
  const troubles = random.fork(3);
  const rig = await openRig({
    random: random.fork(2),
    isSlow: true,
    around: (disk) => troubled(disk, trouble, troubles),
  });
  await createTrees(rig);
  const from = rig.disk.moment;
  await workload.run(rig, STEPS_PER_WORKER);
  const to = rig.disk.moment;
  await rig[Symbol.asyncDispose]();

  const cuts = rig.disk.cuts();
  const { reshaping: reshapings, backups } = workload.record;
  const reshaping = reshapings.filter(({ start, end }) => start !== end);
  const whole = [{ start: from, end: to }];
  const moments = Array.from({ length: wanted.count }, (_, index) => {
    // Changes of form and backups take few of a run's moments and have most to lose.
    const chosen = [reshaping, whole, backups, whole][index % 4] ?? [];
    const { start, end } = random.pick(chosen.length > 0 ? chosen : whole);
    return start + random.below((end ?? to) - start + 1);
  });
  for (const [cut, moment] of moments.sort((left, right) => left - right).entries()) {
    const chance = new SeededRandom(Math.imul(seed, 0x1_0001) + cut);
    const image = cuts.cut(moment, chance);
    if (wanted.only !== undefined && cut !== wanted.only) continue;
    try {
      const { record } = workload;
      await restart(image, { record, clock: rig.clock, moment, random: chance });
    } catch (error) {
      return [`KELP_TEST_REPLAY=${trouble}:${seed}:${cut} (moment ${moment}): ${describe(error)}`];
    }
  }
  return [];
}

/** With its causes. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** Starts the store on `image` and judges it, some of the times after a second cut in the middle of starting. */
async function restart(image: DiskImage, cut: CutRun): Promise<void> {
  const { random: chance } = cut;
  const isCutAgain = chance.chance(0.2);
  const first = await openRig({ image, random: chance.fork(3), clock: clockAfter(cut) });
  if (!isCutAgain) return judgeAndClose(first, cut);
  const again = chance.below(first.disk.moment + 1);
  const second = first.disk.cuts().cut(again, chance);
  await first[Symbol.asyncDispose]();
  const random = chance.fork(4);
  await judgeAndClose(await openRig({ image: second, random, clock: clockAfter(cut) }), cut);
}

function clockAfter({ clock, moment }: CutRun): SimulatedClock {
  return new SimulatedClock(clock.nowMsAt(moment));
}

async function judgeAndClose(rig: StoreRig, cut: CutRun): Promise<void> {
  const { record, moment, random } = cut;
  {
    await using open = rig;
    await judge(open, record, { moment, origin: "cut" });
    if (!record.hasFailures) await scrubShards(open);
    if (random.chance(BACKUPS_JUDGED)) await judgeBackups(open.disk.image(), cut);
    if (random.chance(BACKUPS_JUDGED)) await judgeNextBackup(open, cut);
    if (random.chance(SETTLED)) await judgeSettled(open, record, moment);
  }
  judgeVolumes(rig.disk.image(), record, moment);
}

/** What was flipped in shards when the power went is made good, or the cut has taken more than that. */
async function scrubShards({ volumes }: StoreRig): Promise<void> {
  for (const { id, form } of await volumes.volumes()) {
    if (form.kind !== "erasure-coded") continue;
    const { damaged } = await volumes.scrubVolume(id, { bytesPerSec: Number.POSITIVE_INFINITY });
    if (damaged.length > 0) throw new Error(`Volume ${id} stays damaged`);
  }
}

function troubled(disk: PowerCutDisk, trouble: Trouble, random: SeededRandom): Disk {
  if (trouble === "none") return disk;
  const faulty = new FaultyDisk(disk);
  faulty.forgetsSyncs = trouble === "forgets-files";
  faulty.forgetsFolderSyncs = trouble === "forgets-folders";
  if (trouble === "failing") failNowAndThen(faulty, random);
  if (trouble === "filling") fillNowAndThen(faulty, random);
  return faulty;
}

/** One write or sync fails, and a new one is chosen soon afterwards: a volume that failed stays failed, others take over. */
function failNowAndThen(faulty: FaultyDisk, random: SeededRandom): void {
  faulty.onlyPathEnd = ".dat";
  const choose = (): void => {
    faulty.writesUntilFailure = random.chance(0.5) ? 20 + random.below(200) : Infinity;
    faulty.syncsUntilFailure = random.chance(0.5) ? 20 + random.below(200) : Infinity;
  };
  faulty.afterFailure = choose;
  choose();
}

function fillNowAndThen(faulty: FaultyDisk, random: SeededRandom): void {
  const choose = (): void => {
    faulty.spaceBytes = random.below(600_000);
  };
  faulty.afterFailure = choose;
  choose();
}
