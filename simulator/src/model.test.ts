import { expect, test } from "bun:test";
import { runModel } from "./model-run.ts";

/** Operations in all, over as many seeds as that takes. */
const STEPS = Number(process.env["KELP_TEST_MODEL_STEPS"] ?? 100_000);
const REPLAY = process.env["KELP_TEST_MODEL_SEED"];

test(
  `${STEPS} operations with stops, kills and power cuts among them agree with a plain model`,
  async () => {
    let steps = 0;
    for (let seed = Number(REPLAY ?? 1); steps < STEPS; seed += 1) {
      try {
        steps += await runModel(seed);
      } catch (error) {
        throw new Error(`KELP_TEST_MODEL_SEED=${seed} shows it again`, { cause: error });
      }
      if (REPLAY !== undefined) break;
    }
    expect(steps).toBeGreaterThan(0);
  },
  60_000 + STEPS * 5,
);
