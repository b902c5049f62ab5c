import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { type Ttl, volumeId } from "@kelp/wire";
import { clockAt } from "../testing/fixed-clock.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { VolumeWorld, content, fid } from "../testing/volume-world.ts";
import { isVolumeExpired } from "./expired-volume.ts";

const START_MS = 1_000_000_000_000;
const MINUTE_MS = 60_000;
const TWO = volumeId(2);

function inTwo(id: number) {
  return { ...fid(id), volumeId: TWO };
}

test.each<[string, Ttl, number]>([
  // A tenth of the TTL more, at most ten minutes.
  ["ten minutes", { count: 10, unit: "minute" }, 11 * MINUTE_MS],
  ["a day", { count: 1, unit: "day" }, (24 * 60 + 10) * MINUTE_MS],
])("a volume of %s is over when its newest needle is, and a margin later", (_name, ttl, ageMs) => {
  const volume = { ttl, newestNeedleMs: START_MS };
  expect(isVolumeExpired(volume, START_MS + ageMs)).toBe(false);
  expect(isVolumeExpired(volume, START_MS + ageMs + 1)).toBe(true);
});

test("a volume without a TTL, or without a needle, is never over", () => {
  const ttl = { count: 1, unit: "minute" } as const;
  expect(isVolumeExpired({ ttl, newestNeedleMs: 0 }, Number.MAX_SAFE_INTEGER)).toBe(false);
  // A day after the beginning of 1970, as clocks say that were never set.
  const unset = { ttl, newestNeedleMs: 24 * 60 * MINUTE_MS };
  expect(isVolumeExpired(unset, Number.MAX_SAFE_INTEGER)).toBe(false);
  const forEver = { ttl: { count: 0, unit: "none" }, newestNeedleMs: 1 } as const;
  expect(isVolumeExpired(forEver, Number.MAX_SAFE_INTEGER)).toBe(false);
});

test("an expired volume is dropped whole, and removals do not keep it", async () => {
  using world = new VolumeWorld();
  const clock = clockAt(START_MS);
  await using store = await world.open({ clock });
  await store.createVolume(TWO, { collection: "t", ttl: { count: 10, unit: "minute" } });
  const states: string[] = [];
  store.watchStates(({ id, state }) => states.push(`${id} ${state}`));
  await store.append(fid(1), content(1, 10));
  await store.append(inTwo(1), content(1, 10));
  await store.append(inTwo(2), content(2, 10));
  clock.ms += 10 * MINUTE_MS;
  await store.remove([inTwo(1)]);
  expect(await store.dropExpired()).toEqual([]);
  clock.ms += MINUTE_MS + 1;
  expect(await store.dropExpired()).toEqual([TWO]);
  expect(states).toEqual(["2 read-only", "2 deleted"]);
  expect(await codeOf(store.read(inTwo(2)))).toBe("no-such-volume");
  expect((await store.read(fid(1)))?.length).toBe(10);
  expect(readdirSync(world.folder).some((name) => name.startsWith("t_2"))).toBe(false);
});

test("a volume written by a clock that was never set is not dropped, and is by later needles", async () => {
  using world = new VolumeWorld();
  const clock = clockAt(MINUTE_MS);
  await using store = await world.open({ clock });
  await store.createVolume(TWO, { collection: "t", ttl: { count: 10, unit: "minute" } });
  await store.append(inTwo(1), content(1, 10));
  clock.ms = START_MS;
  expect(await store.dropExpired()).toEqual([]);
  await store.append(inTwo(2), content(2, 10));
  clock.ms += 12 * MINUTE_MS;
  expect(await store.dropExpired()).toEqual([TWO]);
});

test("a needle that comes while a volume is being dropped is kept, or refused: never lost", async () => {
  using world = new VolumeWorld();
  const clock = clockAt(START_MS);
  await using store = await world.open({ clock });
  await store.createVolume(TWO, { collection: "t", ttl: { count: 10, unit: "minute" } });
  await store.append(inTwo(1), content(1, 10));
  clock.ms += 12 * MINUTE_MS;
  const [appended, dropped] = await Promise.all([
    codeOf(store.append(inTwo(2), content(2, 10))),
    store.dropExpired(),
  ]);
  if (appended === undefined) {
    expect(dropped).toEqual([]);
    expect((await store.read(inTwo(2)))?.length).toBe(10);
    await store.append(inTwo(3), content(3, 10));
  } else {
    expect(dropped).toEqual([TWO]);
  }
});
