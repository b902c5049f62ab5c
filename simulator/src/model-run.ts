import { type DiskImage, SeededRandom } from "@kelp/base/testing";
import { judge } from "./judge.ts";
import { type StoreRig, openRig } from "./store-rig.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import { Workload, type WorldState, createTrees } from "./workload.ts";

const WORKERS = 5;
const STEPS_PER_WORKER = 120;
/** Lives of one store, each but the last ended in a way that chance gives. */
const LIVES = 5;

/**
 * One store through several lives: operations of workers at once, each answer held against a plain map, then a stop in
 * order, a kill or a power cut, then everything read and compared, and on. Returns the number of operations.
 */
export async function runModel(seed: number): Promise<number> {
  const random = new SeededRandom(seed);
  let workload = new Workload(random.fork(0), WORKERS);
  let image: DiskImage | undefined;
  const clock = new SimulatedClock();
  let steps = 0;
  for (let life = 0; life < LIVES; life += 1) {
    const rig = await openRig({
      random: random.fork(10 + life),
      isSlow: random.chance(0.5),
      clock,
      ...(image === undefined ? {} : { image }),
    });
    if (image === undefined) await createTrees(rig);
    const from = rig.disk.moment;
    await workload.run(rig, STEPS_PER_WORKER);
    const moment = await end(rig, from, random);
    const reader = await openRig({ image: moment.image, random: random.fork(20 + life), clock });
    let start: WorldState;
    let isClean: boolean;
    {
      await using open = reader;
      start = await judge(open, workload.record, { moment: moment.at, origin: "cut" });
      isClean = await removeLeftovers(open);
    }
    steps += (WORKERS + workload.record.forests.length) * STEPS_PER_WORKER;
    if (!isClean) break;
    image = reader.disk.image();
    workload = new Workload(random.fork(30 + life), WORKERS, { start });
  }
  return steps;
}

/** Whether nothing of operations that were cut off is left: a torn record stays for good, and ends the story. */
async function removeLeftovers({ filer }: StoreRig): Promise<boolean> {
  const findings = await Array.fromAsync(filer.check({ orphans: "remove" }));
  return findings.every((finding) => finding.kind === "orphan-needle");
}

/** Ends a life; what is left, and the moment up to which it was acknowledged. */
async function end(
  rig: StoreRig,
  from: number,
  random: SeededRandom,
): Promise<{ readonly image: DiskImage; readonly at: number }> {
  const to = rig.disk.moment;
  const killed = rig.disk.image();
  await rig[Symbol.asyncDispose]();
  switch (random.below(3)) {
    case 0:
      return { image: rig.disk.image(), at: to };
    case 1:
      return { image: killed, at: to };
    default: {
      const at = from + random.below(to - from + 1);
      return { image: rig.disk.cuts().cut(at, random), at };
    }
  }
}
