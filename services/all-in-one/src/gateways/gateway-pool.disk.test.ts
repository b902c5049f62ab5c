import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Clock, silentLog } from "@kelp/base";
import { systemCallNetwork } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import type { Borrower } from "@kelp/volume";
import { HELLO_CALL, type GatewaySetup } from "./gateway-calls.ts";
import { GatewayPool } from "./gateway-pool.ts";
import {
  ANSWER_MS_MAX,
  REPLACE_PAUSE_MS,
  REPLACE_PAUSE_MS_MAX,
  START_MS_MAX,
  STEADY_MS,
} from "./limits.ts";

/** Time moves when a test says so; what is to happen after a delay happens when the test asks for it. */
class TestClock {
  #nowMs = 0;
  #timers: { readonly delayMs: number; readonly run: () => void }[] = [];
  #awaited: { readonly delayMs: number; readonly found: () => void } | undefined;
  readonly delaysMs: number[] = [];

  readonly clock = {
    monotonicMs: () => this.#nowMs,
    schedule: (delayMs: number, run: () => void) => {
      const timer = { delayMs, run };
      this.#timers.push(timer);
      this.delaysMs.push(delayMs);
      if (this.#awaited?.delayMs === delayMs) this.#awaited.found();
      return {
        cancel: () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
        },
      };
    },
  } as unknown as Clock;

  advance(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** Runs the call that is pending for this delay, once there is one. */
  async fire(delayMs: number): Promise<void> {
    const isPending = (): boolean => this.#timers.some((timer) => timer.delayMs === delayMs);
    if (!isPending()) {
      await new Promise<void>((found) => {
        this.#awaited = { delayMs, found };
      });
    }
    this.#awaited = undefined;
    const timer = this.#timers.find((each) => each.delayMs === delayMs);
    this.#timers = this.#timers.filter((each) => each !== timer);
    timer?.run();
  }
}

class PoolWorld implements AsyncDisposable {
  readonly #opened = new AsyncDisposableStack();
  readonly #folder = this.#opened.use(temporaryFolder());
  readonly time = new TestClock();
  readonly died: Borrower[] = [];
  readonly address = join(this.#folder.path, "gateways");

  async open(manner: string, count = 1): Promise<GatewayPool> {
    const pool = await GatewayPool.open({
      count,
      command: { file: join(import.meta.dirname, "testing/strange-gateway.ts"), args: [manner] },
      socket: this.address,
      setup: () => ({}) as GatewaySetup,
      serve: () => ({}),
      onDied: (gateway) => void this.died.push(gateway),
      onStarted: () => undefined,
      clock: this.time.clock,
      log: silentLog,
    });
    this.#opened.use(pool);
    return pool;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

/** Whether the process is there and not only waits to be buried. */
function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "no failure",
    (error: unknown) => (error instanceof Error ? error.message : "another"),
  );
}

test("a gateway that leaves a change of keys unanswered is killed, and only then is the change done", async () => {
  await using world = new PoolWorld();
  const pool = await world.open("deaf", 2);
  const pids = pool.pids();
  expect(pids.length).toBe(2);
  let isDone = false;
  const change = async (): Promise<void> => {
    await pool.identitiesChanged();
    isDone = true;
  };
  const changed = change();
  await world.time.fire(ANSWER_MS_MAX);
  await world.time.fire(ANSWER_MS_MAX);
  expect(isDone).toBe(false);
  await changed;
  expect(pids.filter(isAlive)).toEqual([]);
  expect(world.died.map(({ name }) => name).toSorted()).toEqual(
    pids.map((pid) => `gateway ${pid}`).toSorted(),
  );
});

test("a question that is answered in time leaves its gateway alone", async () => {
  await using world = new PoolWorld();
  const pool = await world.open("good", 2);
  await pool.identitiesChanged();
  expect(pool.pids().filter(isAlive).length).toBe(2);
  expect(world.died).toEqual([]);
});

test("one that does not get as far as serving is ended, and so is the start", async () => {
  await using world = new PoolWorld();
  const opening = messageOf(world.open("mute"));
  await world.time.fire(START_MS_MAX);
  expect(await opening).toBe("a gateway ended before its door answered");
});

test("one that ends again and again is replaced after pauses that grow to their bound", async () => {
  await using world = new PoolWorld();
  await world.open("dying");
  const pauses = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000];
  expect(pauses[0]).toBe(REPLACE_PAUSE_MS);
  expect(pauses.at(-1)).toBe(REPLACE_PAUSE_MS_MAX);
  for (const pauseMs of pauses) await world.time.fire(pauseMs);
  const paused = world.time.delaysMs.filter((delayMs) => delayMs <= REPLACE_PAUSE_MS_MAX);
  expect(paused.slice(0, pauses.length)).toEqual(pauses);
}, 20_000);

test("one that served long begins again with the first pause", async () => {
  await using world = new PoolWorld();
  const pool = await world.open("good");
  for (let round = 0; round < 2; round++) {
    world.time.advance(STEADY_MS);
    const [pid] = pool.pids();
    process.kill(pid ?? 0, "SIGKILL");
    await world.time.fire(REPLACE_PAUSE_MS);
    expect(pool.pids()).not.toContain(pid);
  }
});

test("gateways that are killed together are all replaced after the first pause", async () => {
  await using world = new PoolWorld();
  const pool = await world.open("good", 4);
  const killed = pool.pids();
  for (const pid of killed) process.kill(pid, "SIGKILL");
  for (const _ of killed) await world.time.fire(REPLACE_PAUSE_MS);
  expect(pool.pids().length).toBe(4);
  for (const pid of killed) expect(pool.pids()).not.toContain(pid);
});

test("the socket serves only processes that were started here, each once", async () => {
  await using world = new PoolWorld();
  const pool = await world.open("good");
  const [known = 0] = pool.pids();
  for (const pid of [process.pid, 1, known]) {
    await using stranger = await systemCallNetwork.connect(world.address, {});
    expect(await messageOf(stranger.call(HELLO_CALL, pid))).toBe(
      "Cannot serve a process that is no gateway",
    );
  }
  expect(isAlive(known)).toBe(true);
});

test("a pool that is closed has no process, and replaces none", async () => {
  await using world = new PoolWorld();
  const pool = await world.open("good", 2);
  const pids = pool.pids();
  await pool.stop();
  expect(pids.filter(isAlive)).toEqual([]);
  expect(pool.pids()).toEqual([]);
  expect(world.died).toEqual([]);
  expect(existsSync(world.address)).toBe(false);
});
