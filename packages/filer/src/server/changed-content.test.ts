import { afterAll, beforeAll, expect, test } from "bun:test";
import type { EntryPath } from "@kelp/wire";
import {
  BUCKET,
  type FilerDoorWorld,
  form,
  openFilerDoorWorld,
} from "../testing/filer-door-world.ts";

let door: FilerDoorWorld;

beforeAll(async () => {
  door = await openFilerDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

test("content is appended, and written over from an offset", async () => {
  const post = (query: string, body: string): Promise<Response> =>
    door.ask(`/t12/f?${query}`, {
      method: "POST",
      body,
      headers: { "content-type": "text/x-log" },
    });
  expect(await (await post("op=append", "one")).json()).toEqual({ name: "f", size: 3 });
  await post("op=append", ",two");
  expect(await door.text("/t12/f")).toBe("one,two");
  await post("offset=1", "NE");
  expect(await door.text("/t12/f")).toBe("oNE,two");
  await post("offset=9", "!");
  expect(await door.text("/t12/f")).toBe("oNE,two\0\0!");
  expect((await door.ask("/t12/f")).headers.get("content-type")).toBe("text/x-log");
  expect((await post("offset=99999999999", "!")).status).toBe(400);
});

test("a file of chunks grows by chunks, under its conditions and with an ETag of its pieces", async () => {
  const large = "x".repeat(100_000);
  const append = (added: string, headers: Record<string, string> = {}): Promise<Response> =>
    door.ask("/t12/large?op=append", { method: "POST", body: added, headers });
  await door.put("/t12/large", large, { "seaweed-k": "v", "content-type": "text/x-log" });
  const first = (await door.ask("/t12/large")).headers.get("etag") ?? "";
  const { volumes } = door.world;
  const storedBytes = volumes.storedBytes;
  const appended = await append("one", { "if-match": first });
  expect([appended.status, await appended.json()]).toEqual([201, { name: "large", size: 3 }]);
  expect(volumes.storedBytes).toBe(storedBytes + 3);
  expect(appended.headers.get("etag")).toMatch(/^"[0-9a-f]{32}-2"$/);
  expect(appended.headers.get("content-md5")).toBeNull();
  expect((await append("two", { "if-match": first })).status).toBe(412);
  expect((await append("two", { "if-none-match": "*" })).status).toBe(412);
  expect((await append("two", { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" })).status).toBe(400);
  const body = form(",form", "large");
  expect(await door.status("/t12/large?op=append", { method: "POST", body })).toBe(201);
  const read = await door.ask("/t12/large");
  expect([read.headers.get("seaweed-k"), read.headers.get("content-type")]).toEqual([
    "v",
    "text/x-log",
  ]);
  expect(await read.text()).toBe(`${large}one,form`);
  // What a refused one had stored is gone.
  expect(volumes.storedBytes).toBe(storedBytes + 8);
  await door.status("/t12/large?offset=0", { method: "POST", body: "y" });
  expect(await door.text("/t12/large")).toBe(`y${large.slice(1)}one,form`);
});

test("conditions hold for a change in part as for a whole", async () => {
  const change = (query: string, headers: Record<string, string>): Promise<number> =>
    door.status(`/t12/c?${query}`, { method: "POST", body: "x", headers });
  for (const query of ["op=append", "offset=0"]) {
    expect(await change(query, { "if-match": "*" })).toBe(412);
    expect(await change(query, { "if-none-match": "*" })).toBe(201);
    expect(await change(query, { "if-none-match": "*" })).toBe(412);
    expect(await change(query, { "if-match": '"00000000000000000000000000000000"' })).toBe(412);
    const etag = (await door.ask("/t12/c")).headers.get("etag") ?? "";
    expect(await change(query, { "if-match": etag })).toBe(201);
    await door.status("/t12/c", { method: "DELETE" });
  }
});

test("appends at the same time all arrive", async () => {
  const lines = Array.from({ length: 20 }, (_, at) => `${at}\n`);
  await Promise.all(lines.map((body) => door.ask("/t13/log?op=append", { method: "POST", body })));
  const found = (await door.text("/t13/log")).trim().split("\n");
  expect(found.toSorted()).toEqual(lines.map((line) => line.trim()).toSorted());
});

test.each([
  ["small", 100],
  ["of chunks", 300_000],
])("a file (%s) that changes in part says nothing of the bytes that it had", async (kind, size) => {
  const facts = {
    "x-amz-checksum-crc32": "AAAAAA==",
    "x-amz-checksum-type": "FULL_OBJECT",
    "kelp-part-sizes": `1*${size}`,
  };
  const kept = { "content-type": "text/x-s3", "x-amz-meta-k": "v" };
  for (const query of ["op=append", "offset=5"]) {
    const path = `facts-${kind}-${query}` as EntryPath;
    const { filer } = door.world;
    const describe = () => ({ attributes: { ...kept, ...facts } });
    await filer.writeFile({ tree: BUCKET, path, body: Buffer.alloc(size, 1), describe });
    const url = `/buckets/photos/${encodeURIComponent(path)}?${query}`;
    expect(await door.status(url, { method: "POST", body: "more" })).toBe(201);
    const entry = await filer.getEntry(BUCKET, path);
    expect(entry.kind === "ok" && entry.value.attributes).toEqual(kept);
  }
});
