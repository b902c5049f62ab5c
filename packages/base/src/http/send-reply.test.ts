import { connect } from "node:net";
import { expect, test } from "bun:test";
import type { Clock } from "../clock.ts";
import { silentLog } from "../log.ts";
import { systemClock, systemTcpNetwork } from "../platform/index.ts";
import { type HttpDoor, openHttpDoor } from "./server/http-door.ts";
import { STALL_CHECK_MS } from "./limits.ts";

/** Far more than sockets hold for a client that takes nothing. */
const LARGE = new Uint8Array(32 * 1024 * 1024).fill(7);

/** The system's clock, but that the looks for stalled transfers come when a test says so. */
class LookingClock implements Clock {
  readonly nowMs = (): number => systemClock.nowMs();
  readonly nowNs = (): bigint => systemClock.nowNs();
  readonly monotonicMs = (): number => systemClock.monotonicMs();
  readonly sleep: Clock["sleep"] = (...args) => systemClock.sleep(...args);
  #pending: (() => void) | undefined;

  schedule(delayMs: number, run: () => void): ReturnType<Clock["schedule"]> {
    if (delayMs !== STALL_CHECK_MS) return systemClock.schedule(delayMs, run);
    this.#pending = run;
    return { cancel: () => (this.#pending = undefined) };
  }

  async look(): Promise<void> {
    const run = this.#pending;
    this.#pending = undefined;
    run?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function openDoor(clock: Clock, onSent: () => void): Promise<HttpDoor> {
  return openHttpDoor({
    handler: {
      handle: () =>
        Promise.resolve({ kind: "bytes", status: 200, headers: {}, body: LARGE, onSent }),
      explain: () => undefined,
    },
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
    clock,
    log: silentLog,
  });
}

test("bytes at hand arrive whole, and are told to be sent once", async () => {
  let sentCount = 0;
  await using door = await openDoor(systemClock, () => sentCount++);
  const answer = await fetch(`http://127.0.0.1:${door.port}/`);
  expect(answer.headers.get("content-length")).toBe(String(LARGE.length));
  expect(Buffer.compare(await answer.bytes(), LARGE)).toBe(0);
  const head = await fetch(`http://127.0.0.1:${door.port}/`, { method: "HEAD" });
  expect(head.headers.get("content-length")).toBe(String(LARGE.length));
  expect(sentCount).toBe(2);
});

test("a client that takes nothing of an answer is cut, and what it held is given back", async () => {
  const clock = new LookingClock();
  const sent = new AbortController();
  await using door = await openDoor(clock, () => sent.abort());
  const socket = connect(door.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  for (let look = 0; look < 100_000 && !sent.signal.aborted; look++) await clock.look();
  expect(sent.signal.aborted).toBe(true);
  socket.destroy();
}, 10_000);
