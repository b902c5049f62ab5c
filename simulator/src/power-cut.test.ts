import { expect, test } from "bun:test";
import { type Trouble, runPowerCuts } from "./power-cuts.ts";

/** How many cuts a run makes; a night has time for 10,000. */
const CUT_COUNT = Number(process.env["KELP_TEST_POWER_CUTS"] ?? 250);
/** Of the first run of `CUTS_PER_RUN` cuts: where an earlier night ended. */
const FIRST_SEED = Number(process.env["KELP_TEST_POWER_CUTS_SEED"] ?? 1);
/** `trouble:seed:cut` of a failure, to see that one again. */
const [REPLAY_TROUBLE, ...REPLAY] = (process.env["KELP_TEST_REPLAY"] ?? "").split(":");

async function failuresOf(trouble: Trouble, cutCount: number): Promise<readonly string[]> {
  if (REPLAY_TROUBLE !== "" && REPLAY_TROUBLE !== trouble) return [];
  const replay = REPLAY_TROUBLE === "" ? {} : { replay: REPLAY.join(":") };
  const report = await runPowerCuts({
    trouble,
    cutCount,
    firstSeed: FIRST_SEED,
    ...replay,
  });
  return report.failures;
}

test(
  `${CUT_COUNT} power cuts lose nothing that was acknowledged and leave nothing half done`,
  async () => {
    expect(await failuresOf("none", CUT_COUNT)).toEqual([]);
  },
  120_000 + CUT_COUNT * 1000,
);

test.each(["failing", "filling"] as const)(
  "neither do power cuts of a disk that is %s now and then",
  async (trouble) => {
    expect(await failuresOf(trouble, CUT_COUNT / 5)).toEqual([]);
  },
  120_000 + CUT_COUNT * 300,
);

test.each(["forgets-files", "forgets-folders"] as const)(
  "a disk that %s is found out, or the judge is blind",
  async (trouble) => {
    const { failures } = await runPowerCuts({ trouble, cutCount: 400 });
    expect(failures).toHaveLength(1);
  },
  60_000,
);
