import { expect, test } from "bun:test";
import { systemClock } from "@kelp/base/platform";
import { type FilerDoorWorld, names, openFilerDoorWorld } from "../testing/filer-door-world.ts";
import { ManualClock } from "../testing/index.ts";

const MINUTE_MS = 60_000;
const LARGE = "x".repeat(100_000);

interface LifetimeWorld extends AsyncDisposable {
  readonly door: FilerDoorWorld;
  readonly clock: ManualClock;
}

/** A door whose entries live by a clock that is moved by hand. */
async function openLifetimeWorld(): Promise<LifetimeWorld> {
  const clock = new ManualClock();
  const door = await openFilerDoorWorld({ ...systemClock, nowMs: () => clock.nowMs() });
  return { door, clock, [Symbol.asyncDispose]: () => door[Symbol.asyncDispose]() };
}

test.each(["/logs", "/buckets/photos/logs"])(
  "a file in %s with a lifetime is there until its last moment, and absent from then on",
  async (folder) => {
    await using it = await openLifetimeWorld();
    const { door, clock } = it;
    const path = `${folder}/short`;
    expect(await door.status(`${path}?ttl=5m`, { method: "PUT", body: LARGE })).toBe(201);
    expect(await door.status(`${folder}/lasting`, { method: "PUT", body: "y" })).toBe(201);
    expect(await door.json(`${path}?metadata=true`)).toMatchObject([200, { TtlSec: 300 }]);
    clock.advance(5 * MINUTE_MS - 1);
    expect(await door.status(path, { method: "HEAD" })).toBe(200);
    expect(names(await door.list(`${folder}/`))).toEqual([`${folder}/lasting`, path]);
    clock.advance(1);
    expect(await door.status(path, { method: "HEAD" })).toBe(404);
    expect(await door.status(path)).toBe(404);
    expect(await door.status(path, { headers: { range: "bytes=0-0" } })).toBe(404);
    expect(await door.status(`${path}?metadata=true`)).toBe(404);
    expect(names(await door.list(`${folder}/`))).toEqual([`${folder}/lasting`]);
    expect(await door.status(`${path}?tagging`, { method: "PUT" })).toBe(400);
    expect(await door.status(`${folder}/lasting`)).toBe(200);
    while ((await door.world.filer.collect({ graceMs: 0 })).hasMore) continue;
    expect(door.world.volumes.storedBytes).toBe(0);
    expect(await Array.fromAsync(door.world.filer.check())).toEqual([]);
  },
);

test("what is written in the place of an expired file lives by its own lifetime", async () => {
  await using it = await openLifetimeWorld();
  const { door, clock } = it;
  await door.status("/a?ttl=5m", { method: "PUT", body: LARGE });
  clock.advance(5 * MINUTE_MS);
  const headers = { "if-none-match": "*" };
  expect(await door.status("/a", { method: "PUT", body: "again", headers })).toBe(201);
  clock.advance(60 * MINUTE_MS);
  expect(await door.status("/a")).toBe(200);
});

test("an append keeps the lifetime of its file, or gives it another", async () => {
  await using it = await openLifetimeWorld();
  const { door, clock } = it;
  for (const [path, body] of [
    ["/small", "x"],
    ["/large", LARGE],
  ] as const) {
    await door.status(`${path}?ttl=5m`, { method: "PUT", body });
    clock.advance(4 * MINUTE_MS);
    expect(await door.status(`${path}?op=append`, { method: "POST", body: "y" })).toBe(201);
    clock.advance(MINUTE_MS);
    expect(await door.status(path)).toBe(404);
    // Behind the end of what is over there is nothing: the file begins anew.
    expect(await door.status(`${path}?op=append&ttl=5m`, { method: "POST", body: "z" })).toBe(201);
    expect(await door.json(`${path}?metadata=true`)).toMatchObject([200, { FileSize: 1 }]);
    clock.advance(4 * MINUTE_MS);
    expect(await door.status(`${path}?op=append&ttl=5m`, { method: "POST", body: "z" })).toBe(201);
    clock.advance(4 * MINUTE_MS);
    expect(await door.json(`${path}?metadata=true`)).toMatchObject([200, { FileSize: 2 }]);
  }
});

test.each(["m", "-1m", "5x", "1e3m", "999999y"])("the lifetime %s is refused", async (ttl) => {
  await using door = await openFilerDoorWorld();
  expect(await door.status(`/a?ttl=${ttl}`, { method: "PUT", body: "x" })).toBe(400);
  expect(await door.status("/a")).toBe(404);
});
