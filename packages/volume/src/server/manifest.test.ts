import { afterAll, beforeAll, expect, test } from "bun:test";
import { type VolumeDoorWorld, openVolumeDoorWorld } from "../testing/volume-door-world.ts";

let door: VolumeDoorWorld;

beforeAll(async () => {
  door = await openVolumeDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

async function chunked(): Promise<{ readonly path: string; readonly chunks: readonly string[] }> {
  const chunks = [door.fresh(), door.fresh()] as const;
  await door.ask(`/${chunks[0]}`, { method: "PUT", body: "first," });
  await door.ask(`/${chunks[1]}`, { method: "PUT", body: "second" });
  const manifest = {
    name: "both.txt",
    mime: "text/x-both",
    size: 12,
    chunks: [
      { fid: chunks[1], offset: 6, size: 6 },
      { fid: chunks[0], offset: 0, size: 6 },
    ],
  };
  const path = door.fresh();
  expect(
    await door.status(`/${path}?cm=true`, { method: "POST", body: JSON.stringify(manifest) }),
  ).toBe(201);
  return { path, chunks };
}

test("a manifest is resolved, in any range, and as it is when asked for", async () => {
  const { path } = await chunked();
  const read = await door.ask(`/${path}`);
  expect(await read.text()).toBe("first,second");
  expect(read.headers.get("x-file-store")).toBe("chunked");
  expect(read.headers.get("content-type")).toBe("text/x-both");
  expect(read.headers.get("content-disposition")).toBe('inline; filename="both.txt"');
  const part = await door.ask(`/${path}`, { headers: { range: "bytes=4-8" } });
  expect(await part.text()).toBe("t,sec");
  expect(await (await door.ask(`/${path}?cm=false`)).json()).toMatchObject({ name: "both.txt" });
});

test("a manifest cannot make an answer's headers as long as itself", async () => {
  const path = door.fresh();
  const long = "n".repeat(1_000_000);
  const manifest = JSON.stringify({ name: long, mime: long, size: 0, chunks: [] });
  expect(await door.status(`/${path}?cm=true`, { method: "POST", body: manifest })).toBe(201);
  const read = await door.ask(`/${path}`);
  expect([read.status, read.headers.get("content-disposition")]).toEqual([200, null]);
  expect(read.headers.get("content-type")).toBe("application/octet-stream");
});

test("deleting a manifest deletes its chunks", async () => {
  const { path, chunks } = await chunked();
  const deleted = await door.ask(`/${path}`, { method: "DELETE" });
  expect([deleted.status, await deleted.json()]).toEqual([202, { size: 12 }]);
  for (const chunk of chunks) expect(await door.status(`/${chunk}`)).toBe(404);
});

test("an absent chunk is a failure, never a shorter file", async () => {
  const { path, chunks } = await chunked();
  await door.ask(`/${chunks[0]}`, { method: "DELETE" });
  expect(await door.status(`/${path}`)).toBe(500);
});

test.each([
  ["no JSON", "{"],
  ["a gap", '{"size":2,"chunks":[{"fid":"3,01637037d6","offset":1,"size":1}]}'],
  ["another size", '{"size":2,"chunks":[{"fid":"3,01637037d6","offset":0,"size":1}]}'],
  ["a broken fid", '{"size":1,"chunks":[{"fid":"3","offset":0,"size":1}]}'],
  ["a negative size", '{"size":-1,"chunks":[{"fid":"3,01637037d6","offset":0,"size":-1}]}'],
])("a manifest with %s is refused", async (_, body) => {
  expect(await door.status(`/${door.fresh()}?cm=true`, { method: "POST", body })).toBe(400);
});

test("a manifest cannot name itself, whatever the letter case of its file id", async () => {
  const path = door.fresh();
  for (const fid of [path, path.toUpperCase()]) {
    const body = JSON.stringify({ size: 1, chunks: [{ fid, offset: 0, size: 1 }] });
    expect(await door.status(`/${path}?cm=true`, { method: "POST", body })).toBe(400);
  }
  expect(await door.status(`/${path}?cm=false`)).toBe(404);
});
