import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { systemHashes } from "@kelp/base/platform";
import { needleId, volumeId } from "@kelp/wire";
import { CALLER_HEADER } from "@kelp/wire/testing";
import { MemoryNeedles } from "../testing/memory-needles.ts";
import { type VolumeDoorWorld, openVolumeDoorWorld } from "../testing/volume-door-world.ts";
import { DOWNLOAD_BUDGET_BYTES, EXPANSIONS_AT_ONCE_MAX, FREE_NEEDLE_BYTES_MAX } from "./limits.ts";
import { OutstandingBytes } from "./outstanding-bytes.ts";

/** Three of them are more than may be held. */
const LARGE_BYTES = Math.ceil(DOWNLOAD_BUDGET_BYTES / 3) + 1;
const LARGE = "3,aa00000001";
const SQUEEZED = "3,bb00000001";

class SlowNeedles extends MemoryNeedles {
  /** Reads wait for it. */
  gate: Promise<void> = Promise.resolve();
  onRead: () => void = () => undefined;

  override async readNeedle(
    ...[fid, options]: Parameters<MemoryNeedles["readNeedle"]>
  ): ReturnType<MemoryNeedles["readNeedle"]> {
    this.onRead();
    await this.gate;
    return super.readNeedle(fid, options);
  }
}

const needles = new SlowNeedles(systemHashes);
let door: VolumeDoorWorld;

beforeAll(async () => {
  const place = { volumeId: volumeId(3), cookie: 1 };
  const data = new Uint8Array(LARGE_BYTES);
  await needles.writeNeedle({ ...place, needleId: needleId(0xaan) }, { data });
  await needles.writeNeedle(
    { ...place, needleId: needleId(0xbbn) },
    { data: gzipSync(data, { level: 1 }), isGzip: true },
  );
  door = await openVolumeDoorWorld(needles);
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

function ask(path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("accept-encoding", "identity");
  return door.ask(`/${path}`, { ...init, headers });
}

/** Answers only while less than the budget is held. */
async function lastByte(path: string): Promise<number> {
  const read = await ask(path, { headers: { range: "bytes=-1" } });
  return (await read.bytes()).length;
}

test.each([
  ["one range", "bytes=0-0"],
  ["several ranges", "bytes=0-0,2-2"],
])("asking for heads with %s holds no memory afterwards", async (_, range) => {
  for (const path of [LARGE, SQUEEZED]) {
    for (let times = 0; times < 4; times++) {
      expect((await ask(path, { method: "HEAD", headers: { range } })).status).toBe(206);
    }
    expect(await lastByte(path)).toBe(1);
  }
});

test("a refused override of a header holds no memory afterwards", async () => {
  for (let times = 0; times < 4; times++) {
    const refused = await ask(`${LARGE}?response-content-type=a%0db`, {});
    expect([refused.status, await refused.json()]).toEqual([400, expect.anything()]);
  }
  expect(await lastByte(LARGE)).toBe(1);
});

test("clients that hang up while a needle is read hold no memory afterwards", async () => {
  for (let times = 0; times < 4; times++) {
    const gate = Promise.withResolvers<void>();
    const reading = Promise.withResolvers<void>();
    needles.gate = gate.promise;
    needles.onRead = reading.resolve;
    const socket = connect(door.port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    socket.write(`GET /${LARGE} HTTP/1.1\r\nHost: x\r\n${CALLER_HEADER}: root\r\n\r\n`);
    await reading.promise;
    socket.destroy();
    await closed;
    // A request on another connection is answered after the end of the first was seen.
    await (await ask("healthz", {})).text();
    gate.resolve();
  }
  needles.onRead = () => undefined;
  needles.gate = Promise.resolve();
  expect(await lastByte(LARGE)).toBe(1);
});

test("no more than the budget is read at once, however many ask, and all are served in turn", async () => {
  const outstanding = new OutstandingBytes();
  const whole = outstanding.reservation();
  expect(whole.admit(DOWNLOAD_BUDGET_BYTES)).toBeUndefined();
  const order: number[] = [];
  const shares = Array.from({ length: 64 }, () => outstanding.reservation());
  const waiting = shares.map(async (share, at) => {
    await share.admit(DOWNLOAD_BUDGET_BYTES);
    order.push(at);
    share.release();
  });
  await Bun.sleep(0);
  expect(order).toEqual([]);
  // What is small waits for nobody.
  expect(outstanding.reservation().admit(FREE_NEEDLE_BYTES_MAX)).toBeUndefined();
  whole.release();
  await Promise.all(waiting);
  expect(order).toEqual(shares.map((_, at) => at));
});

test("a share that has to grow is given back before it waits", async () => {
  const outstanding = new OutstandingBytes();
  const half = DOWNLOAD_BUDGET_BYTES / 2;
  const [left, right] = [outstanding.reservation(), outstanding.reservation()];
  expect([left.admit(half), right.admit(half)]).toEqual([undefined, undefined]);
  // Each waiting for what the other holds, neither would ever have it.
  await Promise.all(
    [left, right].map(async (share) => {
      await share.admit(DOWNLOAD_BUDGET_BYTES);
      share.release();
    }),
  );
  expect(outstanding.reservation().admit(DOWNLOAD_BUDGET_BYTES)).toBeUndefined();
});

test("content that becomes larger than it says is expanded as the larger", async () => {
  // The length of a file of several members is said by the last alone.
  const members = Buffer.concat([gzipSync(Buffer.alloc(300_000, "a")), gzipSync("b")]);
  await needles.writeNeedle(
    { volumeId: volumeId(3), cookie: 1, needleId: needleId(0xccn) },
    { data: members, isGzip: true },
  );
  const read = await ask("3,cc00000001", {});
  expect((await read.bytes()).length).toBe(300_001);
});

test("compressed content is expanded a few at a time", async () => {
  const outstanding = new OutstandingBytes();
  let running = 0;
  let runningMax = 0;
  const all = Array.from({ length: 3 * EXPANSIONS_AT_ONCE_MAX }, () =>
    outstanding.expand(async () => {
      runningMax = Math.max(runningMax, ++running);
      await Bun.sleep(0);
      running--;
    }),
  );
  await Promise.all(all);
  expect(runningMax).toBe(EXPANSIONS_AT_ONCE_MAX);
});
