import { expect, test } from "bun:test";
import type { Disk } from "@kelp/base";
import { systemDisk } from "@kelp/base/platform";
import { ManualClock, codeOf } from "../testing/index.ts";
import { SpaceGuard } from "./space-guard.ts";

const MIB = 1024 * 1024;

function guardWith(space: { availableBytes: number; calls: number }): {
  guard: SpaceGuard;
  clock: ManualClock;
} {
  const clock = new ManualClock();
  const disk: Disk = {
    ...systemDisk,
    space: () => {
      space.calls += 1;
      return Promise.resolve({ totalBytes: 1000 * MIB, availableBytes: space.availableBytes });
    },
  };
  return { guard: new SpaceGuard({ disk, folder: "/", clock, reserveBytes: 64 * MIB }), clock };
}

test("content that would take from the reserve is refused, smaller content is not", async () => {
  const space = { availableBytes: 66 * MIB, calls: 0 };
  const { guard } = guardWith(space);
  expect(await codeOf(Promise.resolve(guard.admit(3 * MIB)))).toBe("out-of-space");
  expect(await guard.admit(1 * MIB)).toBeUndefined();
});

test("what was admitted counts as taken until the next measurement", async () => {
  const space = { availableBytes: 68 * MIB, calls: 0 };
  const { guard } = guardWith(space);
  await guard.admit(MIB);
  space.availableBytes = 65 * MIB;
  await guard.admit(MIB);
  expect(await codeOf(Promise.resolve(guard.admit(2 * MIB)))).toBe("out-of-space");
});

test("writing is admitted again as soon as there is space", async () => {
  const space = { availableBytes: 1 * MIB, calls: 0 };
  const { guard } = guardWith(space);
  expect(await codeOf(Promise.resolve(guard.admit(1)))).toBe("out-of-space");
  space.availableBytes = 500 * MIB;
  expect(await guard.admit(MIB)).toBeUndefined();
});

test("with much room the disk is asked once in a while, not for each body", async () => {
  const space = { availableBytes: 900 * MIB, calls: 0 };
  const { guard } = guardWith(space);
  for (let count = 0; count < 100; count += 1) await guard.admit(1000);
  expect(space.calls).toBe(1);
});
