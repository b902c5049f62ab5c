import { afterAll, beforeAll, expect, test } from "bun:test";
import { must } from "@kelp/base";
import { parseFid } from "@kelp/wire";
import { type VolumeDoorWorld, openVolumeDoorWorld } from "../testing/volume-door-world.ts";

let door: VolumeDoorWorld;

beforeAll(async () => {
  door = await openVolumeDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

test("names and values that would break an answer are not kept, or not sent", async () => {
  const path = door.fresh();
  await door.ask(`/${path}`, { method: "PUT", body: "x" });
  expect(await door.status(`/${path}?response-content-type=a%0d%0ab`)).toBe(400);
  await door.needles.writeNeedle({ volumeId: 3, needleId: 0x999n, cookie: 1 } as never, {
    data: Buffer.from("foreign"),
    mediaType: "a\r\nX-Evil: 1",
    pairs: {
      "Set-Cookie": "a=b",
      Bad: "a\r\nb",
      "Not a name": "x",
      Good: "c",
      "Seaweed-Early": "d",
    },
  });
  const read = await door.ask("/3,099900000001");
  expect(read.headers.get("content-type")).toBe("application/octet-stream");
  expect(read.headers.get("set-cookie")).toBeNull();
  expect(read.headers.get("seaweed-set-cookie")).toBe("a=b");
  expect([read.headers.get("bad"), read.headers.get("seaweed-bad")]).toEqual([null, null]);
  expect(read.headers.get("good")).toBe("c");
  expect(read.headers.get("seaweed-early")).toBe("d");
});

test("pairs are stored without their prefix, and what has a meaning in an answer keeps it there", async () => {
  const path = door.fresh();
  const meaningful = [
    "Access-Control-Allow-Origin",
    "Cache-Control",
    "Content-Length",
    "Content-Security-Policy",
    "ETag",
    "Location",
    "Refresh",
    "Server",
    "Service-Worker-Allowed",
    "Set-Cookie",
    "Transfer-Encoding",
    "X-Content-Type-Options",
  ];
  const headers = Object.fromEntries(meaningful.map((name) => [`Seaweed-${name}`, "evil"]));
  await door.ask(`/${path}`, {
    method: "PUT",
    body: "x",
    headers: { ...headers, "Seaweed-cost-centre": "7" },
  });
  const stored = await door.needles.readNeedle(must(parseFid(path)));
  expect(Object.keys(stored?.pairs ?? {})).toContain("Cost-Centre");
  const read = await door.ask(`/${path}`);
  expect(read.headers.get("cost-centre")).toBe("7");
  expect(await read.text()).toBe("x");
  for (const name of meaningful) {
    expect(read.headers.get(name)).not.toBe("evil");
    expect(read.headers.get(`seaweed-${name}`)).toBe("evil");
  }
  expect(
    await door.status(`/${door.fresh()}`, {
      method: "PUT",
      body: "x",
      headers: { "Seaweed-": "v" },
    }),
  ).toBe(400);
});
