import { SeededRandom } from "@kelp/base/testing";

/** What the server is doing when it is killed, besides serving the writers. */
export const MOMENTS = [
  "writing",
  "completing",
  "vacuuming",
  "snapshot",
  "clone",
  "removing",
] as const;
export type Moment = (typeof MOMENTS)[number];

/** Who is killed first. The server is always killed in the end: with it its gateways, or they end because it is gone. */
export type Victim = "server" | "gateway" | "group";

export interface CrashPlan {
  readonly workers: 1 | 2;
  readonly victim: Victim;
  readonly moment: Moment;
  /** From the first acknowledged write to the moment. */
  readonly warmUpMs: number;
  /** From the beginning of the moment to the kill. */
  readonly delayMs: number;
}

const GATEWAYS_SHARE = 0.2;
const WARM_UP_MS_MAX = 200;
/** As long as the moment takes with a busy server, roughly: kills shall fall before, into and behind it. */
const DELAY_MS_MAX: Readonly<Record<Moment, number>> = {
  writing: 300,
  completing: 150,
  vacuuming: 400,
  snapshot: 100,
  clone: 100,
  removing: 100,
};

/** The same for the same seed and round. */
export function planOf(seed: number, round: number): CrashPlan {
  const random = new SeededRandom(seed).fork(round);
  const workers = random.chance(GATEWAYS_SHARE) ? 2 : 1;
  const moment = random.chance(0.3) ? "writing" : random.pick(MOMENTS);
  return {
    workers,
    moment,
    victim: workers === 1 ? "server" : random.pick(["server", "gateway", "group"]),
    warmUpMs: random.below(WARM_UP_MS_MAX),
    delayMs: random.below(DELAY_MS_MAX[moment]),
  };
}
