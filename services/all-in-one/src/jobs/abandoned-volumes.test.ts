import { expect, test } from "bun:test";
import { type Clock, silentLog } from "@kelp/base";
import type { SweepOptions } from "@kelp/filer";
import { volumeId } from "@kelp/wire";
import { ABANDONED_GRACE_MS, AbandonedVolumes } from "./abandoned-volumes.ts";

/** What was done, in its order; a sleep lasts until it is let go. */
class Steps {
  readonly done: string[] = [];
  #wake: (() => void) | undefined;
  #slept = Promise.withResolvers<void>();

  readonly clock: Pick<Clock, "sleep"> = {
    sleep: (delayMs, signal) => {
      this.done.push(`sleep ${delayMs}`);
      this.#slept.resolve();
      return new Promise((resolve, reject) => {
        this.#wake = resolve;
        signal?.addEventListener("abort", () => reject(new Error("stopped")));
      });
    },
  };

  readonly sweep = async ({ only, graceMs }: SweepOptions): Promise<void> => {
    this.done.push(`sweep ${only?.join(" ")} grace ${graceMs}`);
  };

  async asleep(): Promise<void> {
    await this.#slept.promise;
    this.#slept = Promise.withResolvers();
  }

  wake(): void {
    this.#wake?.();
  }
}

function open(steps: Steps, sweep = steps.sweep): AbandonedVolumes {
  const clock = steps.clock as Clock;
  return new AbandonedVolumes({ sweep, pace: () => () => undefined, clock, log: silentLog });
}

const GRACE = `grace ${ABANDONED_GRACE_MS}`;

test("volumes are swept twice, the grace apart; those noted meanwhile come in one round after that", async () => {
  const steps = new Steps();
  await using abandoned = open(steps);
  abandoned.note([]);
  expect(steps.done).toEqual([]);
  abandoned.note([volumeId(3)]);
  await steps.asleep();
  abandoned.note([volumeId(4), volumeId(3)]);
  abandoned.note([volumeId(4)]);
  steps.wake();
  await steps.asleep();
  expect(steps.done).toEqual([
    `sweep 3 ${GRACE}`,
    `sleep ${ABANDONED_GRACE_MS}`,
    `sweep 3 ${GRACE}`,
    `sweep 4 3 ${GRACE}`,
    `sleep ${ABANDONED_GRACE_MS}`,
  ]);
});

test("a failed round is given up, and the next death begins anew", async () => {
  const steps = new Steps();
  let isFailing = true;
  const failed = Promise.withResolvers<void>();
  await using abandoned = open(steps, async (options) => {
    if (!isFailing) return steps.sweep(options);
    failed.resolve();
    throw new Error("the disk is gone");
  });
  abandoned.note([volumeId(3)]);
  await failed.promise;
  isFailing = false;
  // After the failure was taken in.
  await new Promise((resolve) => setImmediate(resolve));
  abandoned.note([volumeId(5)]);
  await steps.asleep();
  expect(steps.done[0]).toBe(`sweep 5 ${GRACE}`);
});

test("stopping ends the wait, and nothing is swept after it", async () => {
  const steps = new Steps();
  const abandoned = open(steps);
  abandoned.note([volumeId(3)]);
  await steps.asleep();
  await abandoned[Symbol.asyncDispose]();
  const count = steps.done.length;
  abandoned.note([volumeId(4)]);
  expect(steps.done.length).toBe(count);
});
