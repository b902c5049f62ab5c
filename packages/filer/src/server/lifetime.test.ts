import { expect, test } from "bun:test";
import { silentLog } from "@kelp/base";
import { systemClock, systemTcpNetwork } from "@kelp/base/platform";
import type { TreeName } from "@kelp/wire";
import { CALLER_HEADER, believingGate, listAuthorizer } from "@kelp/wire/testing";
import { type FilerWorld, ManualClock, openFilerWorld } from "../testing/index.ts";
import { openFilerDoor } from "./filer-door.ts";

const MINUTE_MS = 60_000;
const LARGE = "x".repeat(100_000);

interface DoorWorld extends AsyncDisposable {
  readonly world: FilerWorld;
  readonly clock: ManualClock;
  status(path: string, init?: RequestInit): Promise<number>;
  names(path: string): Promise<readonly string[]>;
  json(path: string): Promise<Readonly<Record<string, unknown>>>;
}

/** A door whose entries live by a clock that is moved by hand. */
async function openDoorWorld(): Promise<DoorWorld> {
  const manual = new ManualClock();
  const clock = { ...systemClock, nowMs: () => manual.nowMs() };
  const world = openFilerWorld({ clock });
  await world.filer.createTree({ name: "photos" as TreeName, kind: "bucket", owner: "root" });
  const door = await openFilerDoor({
    filer: world.filer,
    gate: believingGate(),
    authorizer: listAuthorizer(),
    clock,
    log: silentLog,
    version: "0.0.1",
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
  });
  const ask = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set(CALLER_HEADER, "root");
    return fetch(`http://127.0.0.1:${door.port}${path}`, { ...init, headers });
  };
  const json = async (path: string): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await ask(path, { headers: { accept: "application/json" } });
    return (await answer.json()) as Readonly<Record<string, unknown>>;
  };
  return {
    world,
    clock: manual,
    json,
    async status(path, init) {
      const answer = await ask(path, init);
      await answer.arrayBuffer();
      return answer.status;
    },
    async names(path) {
      const { Entries } = (await json(path)) as { Entries: { FullPath: string }[] | null };
      return (Entries ?? []).map(({ FullPath }) => FullPath);
    },
    async [Symbol.asyncDispose]() {
      await door.stop();
      world[Symbol.dispose]();
    },
  };
}

test.each(["/logs", "/buckets/photos/logs"])(
  "a file in %s with a lifetime is there until its last moment, and absent from then on",
  async (folder) => {
    await using door = await openDoorWorld();
    const path = `${folder}/short`;
    expect(await door.status(`${path}?ttl=5m`, { method: "PUT", body: LARGE })).toBe(201);
    expect(await door.status(`${folder}/lasting`, { method: "PUT", body: "y" })).toBe(201);
    expect(await door.json(`${path}?metadata=true`)).toMatchObject({ TtlSec: 300 });
    door.clock.advance(5 * MINUTE_MS - 1);
    expect(await door.status(path, { method: "HEAD" })).toBe(200);
    expect(await door.names(`${folder}/`)).toEqual([`${folder}/lasting`, path]);
    door.clock.advance(1);
    expect(await door.status(path, { method: "HEAD" })).toBe(404);
    expect(await door.status(path)).toBe(404);
    expect(await door.status(path, { headers: { range: "bytes=0-0" } })).toBe(404);
    expect(await door.status(`${path}?metadata=true`)).toBe(404);
    expect(await door.names(`${folder}/`)).toEqual([`${folder}/lasting`]);
    expect(await door.status(`${path}?tagging`, { method: "PUT" })).toBe(400);
    expect(await door.status(`${folder}/lasting`)).toBe(200);
    while ((await door.world.filer.collect({ graceMs: 0 })).hasMore) continue;
    expect(door.world.volumes.storedBytes).toBe(0);
    expect(await Array.fromAsync(door.world.filer.check())).toEqual([]);
  },
);

test("what is written in the place of an expired file lives by its own lifetime", async () => {
  await using door = await openDoorWorld();
  await door.status("/a?ttl=5m", { method: "PUT", body: LARGE });
  door.clock.advance(5 * MINUTE_MS);
  const headers = { "if-none-match": "*" };
  expect(await door.status("/a", { method: "PUT", body: "again", headers })).toBe(201);
  door.clock.advance(60 * MINUTE_MS);
  expect(await door.status("/a")).toBe(200);
});

test("an append keeps the lifetime of its file, or gives it another", async () => {
  await using door = await openDoorWorld();
  for (const [path, body] of [
    ["/small", "x"],
    ["/large", LARGE],
  ] as const) {
    await door.status(`${path}?ttl=5m`, { method: "PUT", body });
    door.clock.advance(4 * MINUTE_MS);
    expect(await door.status(`${path}?op=append`, { method: "POST", body: "y" })).toBe(201);
    door.clock.advance(MINUTE_MS);
    expect(await door.status(path)).toBe(404);
    // Behind the end of what is over there is nothing: the file begins anew.
    expect(await door.status(`${path}?op=append&ttl=5m`, { method: "POST", body: "z" })).toBe(201);
    expect(await door.json(`${path}?metadata=true`)).toMatchObject({ FileSize: 1 });
    door.clock.advance(4 * MINUTE_MS);
    expect(await door.status(`${path}?op=append&ttl=5m`, { method: "POST", body: "z" })).toBe(201);
    door.clock.advance(4 * MINUTE_MS);
    expect(await door.json(`${path}?metadata=true`)).toMatchObject({ FileSize: 2 });
  }
});

test.each(["m", "-1m", "5x", "1e3m", "999999y"])("the lifetime %s is refused", async (ttl) => {
  await using door = await openDoorWorld();
  expect(await door.status(`/a?ttl=${ttl}`, { method: "PUT", body: "x" })).toBe(400);
  expect(await door.status("/a")).toBe(404);
});
