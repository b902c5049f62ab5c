import { afterAll, beforeAll, expect, test } from "bun:test";
import { type VolumeDoorWorld, openVolumeDoorWorld } from "../testing/volume-door-world.ts";

let door: VolumeDoorWorld;

beforeAll(async () => {
  door = await openVolumeDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

function grant(fid: string, count?: number): string {
  return JSON.stringify({ kind: "needle", fid, ...(count !== undefined && { count }) });
}

test("a token opens its own needle, and the ids that were assigned with it", async () => {
  const path = door.fresh();
  const put = { method: "PUT", body: "x" };
  expect(await door.status(`/${path}`, put, grant(path, 2))).toBe(201);
  expect(await door.status(`/${path}`, {}, grant(path, 2))).toBe(200);
  expect(await door.status(`/${path.replace(",", "/")}`, {}, grant(path, 2))).toBe(200);
  expect(await door.status(`/${path}_1`, put, grant(path, 2))).toBe(201);
  expect(await door.status(`/${path}_2`, put, grant(path, 2))).toBe(401);
  expect(await door.status(`/${path}_2`, put, grant(path))).toBe(201);
  expect(await door.status(`/${door.fresh()}`, put, grant(path, 100))).toBe(401);
  expect(await door.status(`/${path}`, {}, grant("nonsense"))).toBe(401);
  expect(await door.status(`/${path}`, {}, '{"kind":"path","prefixes":[],"methods":[]}')).toBe(401);
  const manifest = '{"size":0,"chunks":[]}';
  expect(
    await door.status(`/${path}?cm=true`, { method: "PUT", body: manifest }, grant(path, 1)),
  ).toBe(403);
});

test("nobody gets in without credentials, and everybody only as far as allowed", async () => {
  const path = door.fresh();
  await door.ask(`/${path}`, { method: "PUT", body: "x" });
  for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"]) {
    expect(await door.status(`/${path}`, { method }, "")).toBe(401);
  }
  for (const page of ["/status", "/ui/index.html", "/"])
    expect(await door.status(page, {}, "")).toBe(401);
  expect(await door.status(`/${path}`, {}, "ann")).toBe(200);
  expect(await door.status(`/${path}`, { method: "DELETE" }, "ann")).toBe(403);
  expect(await door.status(`/${path}`, { method: "PUT", body: "y" }, "ann")).toBe(403);
  expect(await door.status("/status", {}, "ann")).toBe(403);
  expect(await door.status(`/${path}`, {}, "bob")).toBe(403);
  expect(await (await door.ask("/healthz", {}, "")).text()).toBe("ok\n");
});
