import { afterEach, beforeEach, expect, test } from "bun:test";
import { utf8 } from "@kelp/base";
import { type FilerWorld, openFilerWorld } from "@kelp/filer/testing";
import { createBucketCopies, createObjectStore } from "@kelp/s3/client";
import type { ObjectStore } from "@kelp/wire";
import { type TestConsole, admittedAs, startConsole } from "../testing/console-server.ts";

let world: FilerWorld;
let objects: ObjectStore;
let console: TestConsole;

beforeEach(async () => {
  world = openFilerWorld();
  objects = createObjectStore(world);
  console = await startConsole({ objects, copies: createBucketCopies(world) });
  console.admission = admittedAs({ kind: "identity", name: "ann" });
  await objects.createBucket("data", "root");
  await put("a", "old");
});

afterEach(async () => {
  await console[Symbol.asyncDispose]();
  world[Symbol.dispose]();
});

async function put(key: string, content: string): Promise<void> {
  await objects.putObject({ bucket: "data", key, body: utf8(content) });
}

async function send(method: string, path: string, body?: unknown) {
  const response = await fetch(`${console.url}/api/v1/buckets${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text };
}

function refusal(status: number, code: string): object {
  return { status, body: { error: { code } } };
}

test("a snapshot is made once, listed, read as the bucket was, and deleted", async () => {
  expect(await send("POST", "/data/snapshots", { name: "s1" })).toMatchObject({
    status: 201,
    body: { name: "s1", size_bytes: 3, object_count: 1 },
  });
  expect(await send("POST", "/data/snapshots", { name: "s1" })).toMatchObject(
    refusal(409, "snapshot-exists"),
  );
  await put("a", "newer");
  await put("b", "later");
  expect(await send("GET", "/data/snapshots")).toMatchObject({
    body: { snapshots: [{ name: "s1", size_bytes: 3, object_count: 1 }] },
  });
  expect((await send("GET", "/data/object?key=a&snapshot=s1")).body).toBe("old");
  expect((await send("GET", "/data/object?key=a")).body).toBe("newer");
  const head = await fetch(`${console.url}/api/v1/buckets/data/object?key=a&snapshot=s1`, {
    method: "HEAD",
  });
  expect(head.headers.get("content-length")).toBe("3");
  const part = await fetch(`${console.url}/api/v1/buckets/data/object?key=a&snapshot=s1`, {
    headers: { range: "bytes=1-" },
  });
  expect([part.status, await part.text()]).toEqual([206, "ld"]);
  expect(await send("GET", "/data/object/info?key=a&snapshot=s1")).toMatchObject({
    body: { size_bytes: 3 },
  });
  expect(await send("GET", "/data/object/info?key=b&snapshot=s1")).toMatchObject(
    refusal(404, "no-such-object"),
  );
  const listed = await send("GET", "/data/objects?snapshot=s1");
  expect(listed).toMatchObject({ body: { items: [{ key: "a" }], next: null } });
  expect((await send("DELETE", "/data/snapshots/s1")).status).toBe(204);
  for (const [method, path] of [
    ["DELETE", "/data/snapshots/s1"],
    ["GET", "/data/objects?snapshot=s1"],
    ["GET", "/data/object?key=a&snapshot=s1"],
    ["GET", "/data/object/info?key=a&snapshot="],
  ] as const) {
    expect(await send(method, path)).toMatchObject(refusal(404, "no-such-snapshot"));
  }
  expect((await send("GET", "/data/object?key=a")).body).toBe("newer");
});

test("nothing of a snapshot can be changed, and the bucket is not changed instead", async () => {
  await send("POST", "/data/snapshots", { name: "s1" });
  for (const [method, path, body] of [
    ["PUT", "/data/object?key=a&snapshot=s1", "x"],
    ["DELETE", "/data/object?key=a&snapshot=s1", undefined],
    ["DELETE", "/data/objects?prefix=a&snapshot=s1", undefined],
    ["POST", "/data/rename?snapshot=s1", { source: "a", target: "b" }],
    ["GET", "/data/entry?key=a&snapshot=s1", undefined],
  ] as const) {
    expect(await send(method, path, body)).toMatchObject(refusal(400, "bad-request"));
  }
  expect((await send("GET", "/data/object?key=a")).body).toBe("old");
});

test("a copy belongs to its maker and is made of now or of a snapshot", async () => {
  await send("POST", "/data/snapshots", { name: "s1" });
  await objects.setBucketQuota("data", { objectCount: 5 });
  await put("a", "newer");
  expect(await send("POST", "/data/clone", { name: "then", snapshot: "s1" })).toMatchObject({
    status: 201,
    body: { name: "then", owner: "ann", size_bytes: 3, object_count: 1, quota_objects: 5 },
  });
  expect((await send("POST", "/data/clone", { name: "now" })).status).toBe(201);
  expect((await send("GET", "/then/object?key=a")).body).toBe("old");
  expect((await send("GET", "/now/object?key=a")).body).toBe("newer");
  expect(await send("POST", "/data/clone", { name: "now" })).toMatchObject(
    refusal(409, "bucket-exists"),
  );
  expect(await send("POST", "/data/clone", { name: "No_Name" })).toMatchObject(
    refusal(400, "invalid-bucket-name"),
  );
  expect(await send("POST", "/none/clone", { name: "other" })).toMatchObject(
    refusal(404, "no-such-bucket"),
  );
  expect(await send("POST", "/data/clone", { name: "other", snapshot: "s2" })).toMatchObject(
    refusal(404, "no-such-snapshot"),
  );
  expect(await objects.getBucket("other")).toBeUndefined();
});

test("a bucket with objects or snapshots is deleted only by force", async () => {
  await send("POST", "/data/snapshots", { name: "s1" });
  await send("DELETE", "/data/objects?prefix=a");
  expect((await objects.listObjects("data", { limit: 9 })).items).toEqual([]);
  for (const query of ["", "?force=false"]) {
    expect(await send("DELETE", `/data${query}`)).toMatchObject(refusal(409, "bucket-not-empty"));
  }
  expect(await send("DELETE", "/data?force=yes")).toMatchObject(refusal(400, "bad-request"));
  expect((await send("DELETE", "/data?force=true")).status).toBe(204);
  expect(await objects.getBucket("data")).toBeUndefined();
});

test("keys below a prefix are deleted, and a forgotten prefix deletes nothing", async () => {
  await put("f/1", "x");
  await put("f/2", "x");
  await put("f2", "x");
  for (const query of ["", "?prefix="]) {
    expect(await send("DELETE", `/data/objects${query}`)).toMatchObject(
      refusal(400, "bad-request"),
    );
  }
  expect((await send("DELETE", "/data/objects?prefix=f%2F")).status).toBe(204);
  const left = await objects.listObjects("data", { limit: 9 });
  expect(left.items).toMatchObject([{ key: "a" }, { key: "f2" }]);
});

test.each([
  ["GET", "/data/snapshots", undefined, ["s3:ListBucket arn:aws:s3:::data"]],
  ["POST", "/data/snapshots", { name: "s2" }, ["s3:CreateBucket arn:aws:s3:::data"]],
  ["DELETE", "/data/snapshots/s1", undefined, ["s3:DeleteBucket arn:aws:s3:::data"]],
  [
    "POST",
    "/data/clone",
    { name: "copy", snapshot: "s1" },
    [
      "s3:ListBucket arn:aws:s3:::data",
      "s3:GetObject arn:aws:s3:::data/ below",
      "s3:CreateBucket arn:aws:s3:::copy",
    ],
  ],
  [
    "DELETE",
    "/data?force=true",
    undefined,
    ["s3:DeleteBucket arn:aws:s3:::data", "s3:DeleteObject arn:aws:s3:::data/ below"],
  ],
  ["DELETE", "/data/objects?prefix=a", undefined, ["s3:DeleteObject arn:aws:s3:::data/a below"]],
  ["GET", "/data/object?key=a&snapshot=s1", undefined, ["s3:GetObject arn:aws:s3:::data/a"]],
  ["GET", "/data/objects?snapshot=s1", undefined, ["s3:ListBucket arn:aws:s3:::data"]],
  ["PUT", "/data/quota", { quota_objects: 1 }, ["kelp:SetQuota arn:aws:s3:::data"]],
] as const)("%s %s asks for all that it takes, and is refused for each", async (...row) => {
  const [method, path, body, wanted] = row;
  await send("POST", "/data/snapshots", { name: "s1" });
  for (const { length } of wanted.map((_, index) => wanted.slice(0, index + 1))) {
    const from = console.asked.length;
    const question = wanted[length - 1] ?? "";
    console.denied.add(question.split(" ")[0] ?? "");
    expect(await send(method, path, body)).toMatchObject(refusal(403, "access-denied"));
    expect(console.asked.slice(from)).toEqual(wanted.slice(0, length));
    console.denied.clear();
  }
  expect((await objects.listBuckets()).map(({ name }) => name)).toEqual(["data"]);
  expect(await objects.headObject("data", "a")).toBeDefined();
  expect(await send("GET", "/data/snapshots")).toMatchObject({
    body: { snapshots: [{ name: "s1" }] },
  });
  expect((await send(method, path, body)).status).toBeLessThan(300);
});

test("without a store of copies the routes say so", async () => {
  await using plain = await startConsole();
  await plain.objects.createBucket("data", "root");
  const url = `${plain.url}/api/v1/buckets/data`;
  for (const path of ["/snapshots", "/objects?snapshot=s", "/object?key=a&snapshot=s"]) {
    expect((await fetch(`${url}${path}`)).status).toBe(501);
  }
});
