import type { TreeUsage } from "@kelp/wire";
import type { ForestRecord } from "./forest-hand.ts";
import { type ForestState, describeForest } from "./forest-state.ts";
import { observeForest } from "./observe-forest.ts";
import type { StoreRig } from "./store-rig.ts";

/**
 * Compares the trees, snapshots and copies of one worker with what was acknowledged before `moment`, every body included. What
 * snapshots and trees say of their usage is what is counted in them; before the work in the background is done
 * (`isSettled`) a tree may say more. Returns the state that it is in.
 */
export async function judgeForest(
  { filer, clock }: StoreRig,
  forest: ForestRecord,
  { moment, isSettled }: { readonly moment: number; readonly isSettled: boolean },
): Promise<ForestState> {
  const lines = await observeForest(filer, forest.prefix, (place, said, counted) => {
    const isSnapshot = place.includes("@");
    // What has expired and stands there counts until it is removed, in a snapshot as long as that is there.
    const isExact = isSnapshot ? !forest.hasLifetimes : isSettled;
    const isRight = isExact ? isEqual(said, counted) : isAtLeast(said, counted);
    if (isRight) return;
    const found = `${JSON.stringify(said)}, counted ${JSON.stringify(counted)}`;
    throw new Error(`Usage of ${place} is ${found}`);
  });
  const { states, running } = forest.history.allowed(moment);
  const actual = lines.join("\n");
  const allowed = states.map((state) => describeForest(state, clock.nowMs()));
  const match = states[allowed.indexOf(actual)];
  if (match !== undefined) return match;
  throw new Error(
    `${forest.prefix} is in no state it may be in.\nRunning: ${running ?? "nothing"}\n${differences(actual, allowed)}`,
  );
}

function isEqual(left: TreeUsage, right: TreeUsage): boolean {
  return isAtLeast(left, right) && isAtLeast(right, left);
}

function isAtLeast(left: TreeUsage, right: TreeUsage): boolean {
  return left.bytes >= right.bytes && left.entries >= right.entries && left.chunks >= right.chunks;
}

/** What is not as in each of the allowed states: all of it would be hundreds of lines. */
function differences(actual: string, allowed: readonly string[]): string {
  const found = new Set(actual.split("\n"));
  return allowed
    .map((text) => {
      const wanted = new Set(text.split("\n"));
      const missing = [...wanted].filter((line) => !found.has(line));
      const extra = [...found].filter((line) => !wanted.has(line));
      return [...missing.map((line) => `- ${line}`), ...extra.map((line) => `+ ${line}`)].join(
        "\n",
      );
    })
    .join("\n-- or --\n");
}
