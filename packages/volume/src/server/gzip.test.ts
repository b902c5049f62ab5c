import { afterAll, beforeAll, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { type VolumeDoorWorld, openVolumeDoorWorld } from "../testing/volume-door-world.ts";

let door: VolumeDoorWorld;

beforeAll(async () => {
  door = await openVolumeDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

test("compressed content is passed on to who takes it, and expanded for others", async () => {
  const path = door.fresh();
  const content = "squeeze me ".repeat(50);
  const headers = { "content-encoding": "gzip" };
  const written = await door.ask(`/${path}`, { method: "PUT", body: gzipSync(content), headers });
  expect(await written.json()).toMatchObject({ size: content.length });
  const passed = await door.ask(`/${path}`, { headers: { "accept-encoding": "br, gzip" } });
  expect(passed.headers.get("content-encoding")).toBe("gzip");
  expect(await passed.text()).toBe(content);
  for (const coding of ["identity", "gzip;q=0"]) {
    const plain = await door.ask(`/${path}`, { headers: { "accept-encoding": coding } });
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(await plain.text()).toBe(content);
  }
  const range = { range: "bytes=0-6", "accept-encoding": "gzip" };
  expect(await (await door.ask(`/${path}`, { headers: range })).text()).toBe("squeeze");
  expect(await door.status(`/${path}`, { method: "PUT", body: "plain", headers })).toBe(400);
});

test("compressed content that could not be read again is refused, as far as it can be told", async () => {
  const path = door.fresh();
  const headers = { "content-encoding": "gzip" };
  const bomb = gzipSync("x");
  bomb.writeUInt32LE(257 * 1024 * 1024, bomb.length - 4);
  expect(await door.status(`/${path}`, { method: "PUT", body: bomb, headers })).toBe(413);
  const broken = gzipSync("a body of some length");
  broken.fill(0xff, 12, 16);
  const md5 = Buffer.alloc(16, 1).toString("base64");
  const promised = { ...headers, "content-md5": md5 };
  expect(await door.status(`/${path}`, { method: "PUT", body: broken, headers: promised })).toBe(
    400,
  );
  expect(await door.status(`/${path}`)).toBe(404);
});
