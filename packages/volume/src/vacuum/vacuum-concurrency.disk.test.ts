import { expect, test } from "bun:test";
import { array, asyncProperty, assert as check, constant, nat, oneof, record } from "fast-check";
import type { VolumeStore } from "../store/volume-store.ts";
import { ONE, VolumeWorld, content, fid, readPlain } from "../testing/volume-world.ts";

const FAST = { bytesPerSec: Number.POSITIVE_INFINITY };

const id = nat({ max: 15 }).map((value) => value + 1);
const size = oneof(nat({ max: 300 }), nat({ max: 200_000 }));
const step = oneof(
  { weight: 4, arbitrary: record({ kind: constant("append" as const), id, size }) },
  { weight: 2, arbitrary: record({ kind: constant("remove" as const), id }) },
  { weight: 3, arbitrary: record({ kind: constant("read" as const), id }) },
  { weight: 1, arbitrary: record({ kind: constant("pause" as const) }) },
);

/** One vacuum after another until told to stop; returns how many came to their end. */
function vacuumAgainAndAgain(store: VolumeStore): { stop(): Promise<number> } {
  const stopping = new AbortController();
  let count = 0;
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await store.vacuum(ONE, FAST);
      count++;
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await running;
      return count;
    },
  };
}

test("changes and reads during vacuums are as without them", async () => {
  await check(
    asyncProperty(array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      using world = new VolumeWorld();
      const model = new Map<number, number[]>();
      {
        await using store = await world.open();
        for (let each = 1; each <= 8; each++) {
          await store.append(fid(each), content(each, 10_000));
          model.set(each, [...content(each, 10_000)]);
        }
        const vacuums = vacuumAgainAndAgain(store);
        for (const [round, next] of steps.entries()) {
          if (next.kind === "pause") {
            await new Promise((resolve) => setImmediate(resolve));
          } else if (next.kind === "append") {
            const bytes = content(round, next.size);
            await store.append(fid(next.id), bytes);
            model.set(next.id, [...bytes]);
          } else if (next.kind === "remove") {
            await store.remove([fid(next.id)]);
            model.delete(next.id);
          } else {
            expect(await readPlain(store, fid(next.id))).toEqual(model.get(next.id));
          }
        }
        expect(await vacuums.stop()).toBeGreaterThan(0);
        await expectAll(store, model);
      }
      await using reopened = await world.open();
      await expectAll(reopened, model);
    }),
    { numRuns: 12 },
  );
}, 60_000);

async function expectAll(store: VolumeStore, model: ReadonlyMap<number, number[]>): Promise<void> {
  for (let each = 1; each <= 16; each++) {
    expect(await readPlain(store, fid(each))).toEqual(model.get(each));
  }
  const [status] = await store.volumes();
  expect(status?.liveCount).toBe(model.size);
  expect(status?.sizeBytes).toBe(8 + (status?.liveBytes ?? 0) + (status?.deletedBytes ?? 0));
}

test("many writers at once lose nothing to a vacuum", async () => {
  using world = new VolumeWorld();
  await using store = await world.open();
  const vacuums = vacuumAgainAndAgain(store);
  const writers = Array.from({ length: 16 }, async (_, writer) => {
    for (let round = 0; round < 20; round++) {
      const each = 1 + writer * 20 + round;
      await store.append(fid(each), content(each, 1000));
      if (round % 2 === 1) await store.remove([fid(each - 1)]);
    }
  });
  await Promise.all(writers);
  expect(await vacuums.stop()).toBeGreaterThan(0);
  for (let each = 1; each <= 320; each++) {
    const expected = each % 2 === 1 ? undefined : [...content(each, 1000)];
    expect(await readPlain(store, fid(each))).toEqual(expected);
  }
  await store.vacuum(ONE, FAST);
  expect((await store.volumes())[0]).toMatchObject({ liveCount: 160, deletedBytes: 0 });
});
