import { afterAll, beforeAll, expect, test } from "bun:test";
import type { EntryPath, TreeName } from "@kelp/wire";
import { CALLER_HEADER } from "@kelp/wire/testing";
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

test("a raw body is a file, in the root and in a bucket", async () => {
  for (const path of ["/t1/a.txt", "/buckets/photos/t1/a.txt"]) {
    const written = await door.ask(path, { method: "PUT", body: "hello" });
    expect([written.status, await written.json()]).toEqual([201, { name: "a.txt", size: 5 }]);
    const read = await door.ask(path);
    expect([read.status, await read.text()]).toEqual([200, "hello"]);
    expect(read.headers.get("etag")).toBe('"5d41402abc4b2a76b9719d911017c592"');
    expect(read.headers.get("content-type")).toStartWith("text/plain");
    expect(read.headers.get("content-disposition")).toBe('inline; filename="a.txt"');
    expect(read.headers.get("content-security-policy")).toBe("sandbox");
    expect(await door.text(path, { headers: { range: "bytes=1-2" } })).toBe("el");
    const etag = read.headers.get("etag") ?? "";
    expect(await door.status(path, { headers: { "if-none-match": etag } })).toBe(304);
    expect(await door.status(path, { method: "HEAD" })).toBe(200);
  }
});

test("a file of a bucket is the object that the S3 door has, both ways", async () => {
  const headers = {
    "content-type": "image/x-one",
    "seaweed-colour": "r\u00f4se",
    "x-amz-meta-shape": "round",
    "cache-control": "no-cache",
  };
  await door.put("/buckets/photos/both", "x", {
    ...headers,
    "seaweed-colour": Buffer.from("r\u00f4se").toString("latin1"),
  });
  const entry = await door.world.filer.getEntry(BUCKET, "both" as EntryPath);
  expect(entry.kind === "ok" && entry.value.attributes).toEqual(headers);
  await door.world.filer.writeFile({
    tree: BUCKET,
    path: "from-s3" as EntryPath,
    body: Buffer.from("from s3"),
    describe: () => ({
      attributes: { "content-type": "text/x-s3", "x-amz-meta-k": "v", "kelp-part-sizes": "secret" },
      etag: "00000000000000000000000000000000-2",
    }),
  });
  const read = await door.ask("/buckets/photos/from-s3");
  expect(read.headers.get("content-type")).toBe("text/x-s3");
  expect(read.headers.get("x-amz-meta-k")).toBe("v");
  expect(read.headers.get("etag")).toBe('"00000000000000000000000000000000-2"');
  expect([...read.headers.keys()]).not.toContain("kelp-part-sizes");
});

test("a form puts its file under the path, or under its own name in a folder", async () => {
  const init = (): RequestInit => ({ method: "POST", body: form("content", "dir\\my file.txt") });
  expect(await door.status("/t3/named.txt", init())).toBe(201);
  expect(await door.text("/t3/named.txt")).toBe("content");
  expect(await door.status("/t3/", init())).toBe(201);
  expect(await door.text("/t3/my%20file.txt")).toBe("content");
  expect(await door.status("/t3/", { method: "POST", body: "raw" })).toBe(400);
  for (const name of ["..", "."]) {
    expect(await door.status("/t3/", { method: "POST", body: form("x", name) })).toBe(400);
  }
});

test("a large streamed form is stored whole", async () => {
  const content = "0123456789abcdef".repeat(300_000);
  expect(
    await door.status("/t4/large.bin", { method: "POST", body: form(content, "large.bin") }),
  ).toBe(201);
  expect(await door.text("/t4/large.bin")).toBe(content);
});

test("a wrong Content-MD5 leaves the old file", async () => {
  await door.put("/t5/f", "old");
  expect(
    await door.put("/t5/f", "new", { "content-md5": Buffer.alloc(16).toString("base64") }),
  ).toBe(400);
  expect(await door.text("/t5/f")).toBe("old");
});

test("one entry is told as JSON when asked for", async () => {
  await door.put("/t11/f", "abc");
  expect(await (await door.ask("/t11/f?metadata=true")).json()).toMatchObject({
    FullPath: "/t11/f",
    FileSize: 3,
    Md5: "kAFQmDzST7DWlj99KOF/cg==",
    Content: "YWJj",
  });
  expect(await (await door.ask("/t11/?metadata=true")).json()).toMatchObject({ FullPath: "/t11" });
  await door.put("/t11/big", "x".repeat(20_000));
  const told: { chunks?: { size: number; file_id: string }[] } = (await (
    await door.ask("/t11/big?metadata=true")
  ).json()) as never;
  expect(told.chunks?.map(({ size }) => size)).toEqual([20_000]);
  expect(told.chunks?.[0]?.file_id).toMatch(/^\d+,[0-9a-f]+$/);
});

test("tags are added and taken away without touching the content", async () => {
  await door.put("/t15/f", "x", { "seaweed-a": "1" });
  const init = { method: "PUT", headers: { "seaweed-b": "2" } };
  expect(await door.status("/t15/f?tagging", init)).toBe(202);
  let headers = (await door.ask("/t15/f")).headers;
  expect([headers.get("seaweed-a"), headers.get("seaweed-b")]).toEqual(["1", "2"]);
  expect(await door.status("/t15/f?tagging=A", { method: "DELETE" })).toBe(202);
  expect(await door.status("/t15/f?tagging=A", { method: "DELETE" })).toBe(304);
  expect(await door.status("/t15/f?tagging", { method: "DELETE" })).toBe(202);
  headers = (await door.ask("/t15/f")).headers;
  expect(headers.get("seaweed-b")).toBeNull();
  expect(await door.status("/t15/f?tagging", { method: "PUT" })).toBe(400);
  expect(await door.status("/t15/absent?tagging", init)).toBe(404);
});

test("deleting a folder takes a word when something is in it", async () => {
  await door.put("/t16/d/f", "x");
  await door.put("/t16/dd", "x");
  expect(await door.status("/t16/d", { method: "DELETE" })).toBe(409);
  expect(await door.status("/t16/d/f")).toBe(200);
  expect(await door.status("/t16/d?recursive=true", { method: "DELETE" })).toBe(204);
  expect(await door.status("/t16/d/f")).toBe(404);
  expect(await door.status("/t16/dd")).toBe(200);
  expect(await door.status("/t16/d", { method: "DELETE" })).toBe(204);
  expect(await door.status("/?recursive=true", { method: "DELETE" })).toBe(403);
  expect(await door.status("/buckets?recursive=true", { method: "DELETE" })).toBe(403);
  expect(await door.status("/t16/dd?skipChunkDeletion=true", { method: "DELETE" })).toBe(501);
});

test("conditions, lifetimes and limits of names are kept", async () => {
  expect(await door.put("/t18/f", "1", { "if-none-match": "*" })).toBe(201);
  expect(await door.put("/t18/f", "2", { "if-none-match": "*" })).toBe(412);
  expect(await door.put("/t18/f", "2", { "if-match": '"c4ca4238a0b923820dcc509a6f75849b"' })).toBe(
    201,
  );
  expect(await door.put("/t18/ttl?ttl=2d&mode=0644", "x")).toBe(201);
  const told = await (await door.ask("/t18/ttl?metadata=true")).json();
  expect(told).toMatchObject({ Mode: 0o644 });
  expect(await door.put("/t18/ttl?ttl=soon", "x")).toBe(400);
  expect(await door.put("/t18/mode?mode=rw", "x")).toBe(400);
  expect(await door.put(`/t18/${"n".repeat(1100)}`, "x")).toBe(414);
});

test("over quota is told as such", async () => {
  const name = "small" as TreeName;
  await door.world.filer.createTree({ name, kind: "bucket", owner: "root" });
  await door.world.filer.setQuota(name, { bytes: 10 });
  expect(await door.put("/buckets/small/x", "x".repeat(100))).toBe(507);
});

test.each([
  "/a/../b",
  "/a/%2e%2e/b",
  "/./a",
  "/a/%2e",
  "/a%00b",
  "/%ff",
  "/buckets//x",
  "/buckets/../x",
])("the path %s is refused", async (path) => {
  const { request: raw } = await import("node:http");
  const code = await new Promise((resolve, reject) => {
    const outgoing = raw(
      {
        host: "127.0.0.1",
        port: door.port,
        path,
        method: "PUT",
        headers: { [CALLER_HEADER]: "root" },
      },
      (response) => resolve(response.resume().statusCode),
    );
    outgoing.on("error", reject).end("x");
  });
  expect(code).toBe(400);
});
