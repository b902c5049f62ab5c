import { expect, test } from "bun:test";
import { array, asyncProperty, assert as check, boolean, integer, nat, record } from "fast-check";
import { FILE_ORDER_PAUSE_COUNT } from "../limits.ts";
import { liveInFileOrder } from "./file-order.ts";
import { NeedleIndex } from "./needle-index.ts";

interface Found {
  readonly high: number;
  readonly low: number;
  readonly offsetBytes: number;
  readonly bodyBytes: number;
}

async function collect(
  index: NeedleIndex,
  options: Omit<Parameters<typeof liveInFileOrder>[1], "pause">,
  pause: () => Promise<void> = async () => undefined,
): Promise<Found[]> {
  const found: Found[] = [];
  for await (const batch of liveInFileOrder(index, { ...options, pause })) {
    expect(batch.count).toBeLessThanOrEqual(options.countMax ?? Number.POSITIVE_INFINITY);
    for (let at = 0; at < batch.count; at++) {
      found.push({
        high: batch.idHighs[at] ?? -1,
        low: batch.idLows[at] ?? -1,
        offsetBytes: batch.offsetBytes[at] ?? -1,
        bodyBytes: batch.bodyBytes[at] ?? -1,
      });
    }
  }
  return found;
}

test("every live needle comes once, in file order, whatever the order of ids and however dense they stand", async () => {
  const needle = record({
    high: nat({ max: 2 }),
    low: integer({ min: 1, max: 5000 }),
    // Some close together, some far away.
    gap: nat({ max: 4 }).map((value) => [1, 1, 2, 1000, 0x1_0000_0000][value] ?? 1),
    isRemoved: boolean(),
  });
  await check(
    asyncProperty(
      array(needle, { maxLength: 400 }),
      integer({ min: 1, max: 40 }),
      async (needles, countMax) => {
        const index = new NeedleIndex({ offsetWidth: 5 });
        const model = new Map<string, Found>();
        let units = 0;
        for (const { high, low, gap, isRemoved } of needles) {
          units += gap;
          const key = `${high},${low}`;
          index.put(high, low, units * 8, low % 50);
          model.set(key, { high, low, offsetBytes: units * 8, bodyBytes: low % 50 });
          if (!isRemoved) continue;
          index.remove(high, low, { hasTombstone: true });
          model.delete(key);
        }
        const expected = [...model.values()].sort(
          (left, right) => left.offsetBytes - right.offsetBytes,
        );
        const endBytes = (units + 1) * 8;
        expect(await collect(index, { endBytes, countMax })).toEqual(expected);
        const half = Math.floor(units / 2) * 8;
        expect(await collect(index, { endBytes: half, countMax })).toEqual(
          expected.filter(({ offsetBytes }) => offsetBytes < half),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test("needles that stay come once although others come and go meanwhile", async () => {
  const index = new NeedleIndex();
  const count = FILE_ORDER_PAUSE_COUNT + 20_000;
  // Places that have nothing to do with ids, so that every stretch looks at every leaf.
  for (let id = 1; id <= count; id++) index.put(0, id * 4, (1 + ((id * 7919) % count)) * 8, 1);
  let round = 0;
  const change = async (): Promise<void> => {
    if (++round > 4) return;
    // New ids between the others split leaves; needles of which the id ends in 0 go.
    for (let id = 1; id < 12_000; id++) {
      if (round < 4) index.put(0, id * 4 + round, (count + id + 1) * 8, 1);
    }
    for (let id = 10; id <= count; id += 10) index.remove(0, id * 4, { hasTombstone: true });
  };
  const found = await collect(index, { endBytes: (count + 2) * 8 }, change);
  expect(round).toBeGreaterThan(0);
  const kept = found.filter(({ low }) => low % 4 === 0 && low % 40 !== 0);
  expect(kept.length).toBe(count - Math.floor(count / 10));
  expect(new Set(kept.map(({ low }) => low)).size).toBe(kept.length);
});

test("an index of which many needles claim one place is gone through all the same", async () => {
  const index = new NeedleIndex();
  for (let id = 1; id <= 100; id++) index.put(0, id, 64, 1);
  expect((await collect(index, { endBytes: 1000, countMax: 10 })).length).toBe(10);
});
