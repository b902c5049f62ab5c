import { expect, test } from "bun:test";
import type { Clock } from "../clock.ts";
import { STALL_CHECKS_MAX, STALL_CHECK_MS } from "../http/limits.ts";
import { systemClock } from "../platform/index.ts";
import { CONNECTION_CHECK_MS } from "./limits.ts";
import { TEST_LIMITS, openWireServer, statuses } from "./testing/server.ts";
import { type Wire, turn } from "./testing/wire.ts";

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const PUT = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n";

/** Time that passes when a test says so. */
class HandClock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly clock: Clock = {
    ...systemClock,
    nowMs: () => this.#nowMs,
    schedule: (delayMs, run) => {
      const timer = { atMs: this.#nowMs + delayMs, run };
      this.#timers.push(timer);
      return {
        cancel: () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
        },
      };
    },
  };

  get timerCount(): number {
    return this.#timers.length;
  }

  pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= untilMs);
      const next = due.toSorted((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }
}

/** How long a connection lasts that was brought to a point, and does nothing more. */
async function lasts(bring: (wire: Wire) => void, limitMs: number): Promise<string> {
  const time = new HandClock();
  await using world = await openWireServer({
    clock: time.clock,
    handle: async ({ response, head }) => response.send(head.method === "PUT" ? 403 : 200, {}, ""),
  });
  const wire = world.connect();
  bring(wire);
  await turn();
  time.pass(limitMs - 2 * CONNECTION_CHECK_MS);
  await turn();
  if (wire.isClosed) return "too short";
  time.pass(4 * CONNECTION_CHECK_MS);
  await turn();
  return wire.isClosed ? "as long as it may" : "too long";
}

const NEVER = 3_600_000;
const { headTimeoutMs, keepAliveTimeoutMs, lingerMs } = TEST_LIMITS;

test.each([
  ["nothing comes", [], headTimeoutMs],
  ["half a head came", ["GET / HT"], headTimeoutMs],
  ["the head comes byte by byte", Array.from(GET.slice(0, -1)), headTimeoutMs],
  ["half a head came after a request", [GET, "GET /"], headTimeoutMs],
  ["empty lines come", ["\r\n", "\r\n"], headTimeoutMs],
  ["a request was answered", [GET], keepAliveTimeoutMs],
  ["an unread body does not end", [`${PUT}hello`], headTimeoutMs],
])("a connection where %s lasts as long as it may", async (_, pieces, limitMs) => {
  const bring = (wire: Wire): void => {
    for (const piece of pieces) wire.send(piece);
  };
  expect(await lasts(bring, limitMs)).toBe("as long as it may");
});

test("after the last answer what the client sends is dropped for a while", async () => {
  const time = new HandClock();
  await using world = await openWireServer({ clock: time.clock });
  const wire = world.connect();
  wire.send("BAD\r\n\r\n");
  expect([statuses(wire.answered), wire.isFinished, wire.isClosed]).toEqual([[400], true, false]);
  wire.send(GET);
  await turn();
  expect(statuses(wire.answered)).toEqual([400]);
  time.pass(lingerMs + CONNECTION_CHECK_MS);
  expect(wire.isClosed).toBe(true);
});

test("a client that ends too is not waited for", async () => {
  await using world = await openWireServer();
  const wire = world.connect();
  wire.send("BAD\r\n\r\n");
  wire.end();
  expect(wire.isClosed).toBe(true);
});

test("a request that takes long is left alone, its answer is not without end", async () => {
  const time = new HandClock();
  const gate = Promise.withResolvers<void>();
  await using world = await openWireServer({
    clock: time.clock,
    handle: async ({ response }) => {
      await gate.promise;
      await response.send(200, {}, "late");
    },
  });
  const wire = world.connect();
  wire.roomBytes = 10;
  wire.send(GET);
  time.pass(NEVER);
  expect(wire.isClosed).toBe(false);
  gate.resolve();
  await turn();
  time.pass(STALL_CHECK_MS * (STALL_CHECKS_MAX - 1));
  expect(wire.isClosed).toBe(false);
  time.pass(2 * STALL_CHECK_MS);
  expect(wire.isClosed).toBe(true);
});

test("no timer runs while nobody is connected", async () => {
  const time = new HandClock();
  await using world = await openWireServer({ clock: time.clock });
  expect(time.timerCount).toBe(0);
  const wire = world.connect();
  expect(time.timerCount).toBe(1);
  wire.destroy();
  time.pass(CONNECTION_CHECK_MS);
  expect(time.timerCount).toBe(0);
});

test("connections beyond the bound are closed on arrival, and taken again when there is room", async () => {
  await using world = await openWireServer({ limits: { connectionsMax: 2 } });
  const [first, second, third] = [world.connect(), world.connect(), world.connect()];
  expect([first, second, third].map(({ isClosed }) => isClosed)).toEqual([false, false, true]);
  first.destroy();
  const fourth = world.connect();
  fourth.send(GET);
  await turn();
  expect(statuses(fourth.answered)).toEqual([200]);
});

test("draining ends idle connections at once, and others with their answer", async () => {
  const gate = Promise.withResolvers<void>();
  await using world = await openWireServer({
    handle: async ({ response, head }) => {
      if (head.target === "/slow") await gate.promise;
      await response.send(200, {}, "");
    },
  });
  const idle = world.connect();
  idle.send(GET);
  const busy = world.connect();
  busy.send(GET.replace("/", "/slow") + GET);
  await turn();
  let isDrained = false;
  const drain = async (): Promise<void> => {
    await world.server.drain(new AbortController().signal);
    isDrained = true;
  };
  const drained = drain();
  await turn();
  expect([idle.isClosed, busy.isClosed, isDrained]).toEqual([true, false, false]);
  gate.resolve();
  await drained;
  expect(statuses(busy.answered)).toEqual([200]);
  expect(busy.answered).toContain("Connection: close\r\n");
  expect(() => world.connect()).toThrow();
});
