import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FilerDoorWorld, openFilerDoorWorld } from "../testing/filer-door-world.ts";

let door: FilerDoorWorld;

beforeAll(async () => {
  door = await openFilerDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

test("files and folders are moved and copied, also between trees", async () => {
  await door.put("/t14/f", "file", { "seaweed-k": "v" });
  const post = (path: string): Promise<number> => door.status(path, { method: "POST" });
  expect(await post("/t14/g?mv.from=/t14/f")).toBe(204);
  expect(await door.status("/t14/f")).toBe(404);
  expect((await door.ask("/t14/g")).headers.get("seaweed-k")).toBe("v");
  expect(await post("/t14/h?cp.from=/t14/g")).toBe(204);
  expect(await door.text("/t14/g")).toBe("file");
  expect(await door.text("/t14/h")).toBe("file");
  await door.put("/t14/dir/1", "1");
  await door.put("/t14/dir/sub/2", "2");
  expect(await post("/t14/moved?mv.from=/t14/dir")).toBe(204);
  expect(await door.text("/t14/moved/sub/2")).toBe("2");
  expect(await door.status("/t14/dir/1")).toBe(404);
  expect(await post("/buckets/photos/t14/?mv.from=/t14/moved")).toBe(204);
  expect(await door.text("/buckets/photos/t14/moved/sub/2")).toBe("2");
  expect(await door.status("/t14/moved/")).toBe(404);
  expect(await post("/t14/back?cp.from=/buckets/photos/t14/moved/1")).toBe(204);
  expect(await door.text("/t14/back")).toBe("1");
  expect(await post("/t14/x?mv.from=/t14/absent")).toBe(404);
  expect(await post("/buckets/photos/t14/moved/in?mv.from=/buckets/photos/t14/moved")).toBe(400);
  expect(await post("/t14/x?mv.from=/t14/../../etc")).toBe(400);
});

test("a name is a file or a folder, not both", async () => {
  await door.put("/t17/f", "x");
  expect(await door.put("/t17/f/below", "x")).toBe(409);
  await door.put("/t17/d/f", "x");
  expect(await door.put("/t17/d", "x")).toBe(409);
  expect(await door.status("/t17/f/", { method: "POST" })).toBe(409);
  await door.put("/t17/g", "x");
  for (const call of ["mv.from", "cp.from"]) {
    expect(await door.status(`/t17/f/below?${call}=/t17/g`, { method: "POST" })).toBe(409);
    expect(await door.status(`/t17/g/below?${call}=/t17/g`, { method: "POST" })).toBe(409);
  }
});
