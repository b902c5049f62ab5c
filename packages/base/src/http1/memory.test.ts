import { expect, test } from "bun:test";
import { heapStats } from "bun:jsc";
import { openWireServer, statuses } from "./testing/server.ts";
import { type Wire, turn } from "./testing/wire.ts";

const GET = "GET /an/object HTTP/1.1\r\nHost: h\r\nAuthorization: some\r\nX-Amz-Date: now\r\n\r\n";
const KIB = 1024;
const MIB = 1024 * KIB;

function heapBytes(): number {
  Bun.gc(true);
  return heapStats().heapSize;
}

test("10,000 connections that wait after a request hold little each", async () => {
  const count = 10_000;
  await using world = await openWireServer({
    limits: { connectionsMax: 2 * count },
    handle: async ({ response }) => response.send(200, {}, ""),
  });
  // The first ones bring the machine code.
  for (let index = 0; index < 100; index++) world.connect().send(GET);
  await turn();
  const beforeBytes = heapBytes();
  const wires: Wire[] = [];
  for (let index = 0; index < count; index++) {
    const wire = world.connect();
    wire.send(GET);
    wire.forget();
    wires.push(wire);
  }
  await turn();
  expect((heapBytes() - beforeBytes) / count).toBeLessThan(4 * KIB);
  for (const wire of wires) wire.send(GET);
  await turn();
  expect(wires.every(({ answered }) => statuses(answered)[0] === 200)).toBe(true);
}, 60_000);

test("40 readers that take nothing of 64 MiB cost no copies of it", async () => {
  const body = new Uint8Array(64 * MIB).fill(7);
  await using world = await openWireServer({
    handle: async ({ response }) => response.send(200, {}, body),
  });
  const beforeBytes = process.memoryUsage.rss();
  for (let index = 0; index < 40; index++) {
    const wire = world.connect();
    wire.roomBytes = 100;
    wire.send(GET);
  }
  await turn();
  expect(process.memoryUsage.rss() - beforeBytes).toBeLessThan(body.length);
});
