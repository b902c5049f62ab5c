import { expect, test } from "bun:test";
import { admittedAs, startConsole } from "../testing/console-server.ts";

const object = (url: string, key: string): string =>
  `${url}/api/v1/buckets/data/object?key=${encodeURIComponent(key)}`;

test("bytes put under any key come back the same, with their type", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("data", "root");
  const key = "a b/ü+%2F?&#.csv";
  const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
  const put = await fetch(object(console.url, key), {
    method: "PUT",
    body: bytes,
    headers: { "content-type": "text/csv" },
  });
  expect([put.status, (await put.json()) as { key: string }]).toMatchObject([201, { key }]);
  const got = await fetch(object(console.url, key));
  expect(got.headers.get("content-type")).toBe("text/csv");
  expect(new Uint8Array(await got.arrayBuffer())).toEqual(bytes);
});

test("stored content is given out so that no browser runs it", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("data", "root");
  await console.objects.putObject({
    bucket: "data",
    key: "evil.html",
    body: new TextEncoder().encode("<script>alert(1)</script>"),
    contentType: "text/html\r\nset-cookie: x=1",
  });
  const { headers } = await fetch(object(console.url, "evil.html"));
  expect(headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("content-disposition")).toStartWith("attachment;");
  expect(headers.get("content-type")).toBe("application/octet-stream");
  expect(headers.get("set-cookie")).toBeNull();
});

test("a range gives its part, one beyond the end is refused", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("data", "root");
  await fetch(object(console.url, "x"), { method: "PUT", body: "0123456789" });
  const part = await fetch(object(console.url, "x"), { headers: { range: "bytes=2-4" } });
  expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([
    206,
    "bytes 2-4/10",
    "234",
  ]);
  const beyond = await fetch(object(console.url, "x"), { headers: { range: "bytes=10-" } });
  expect([beyond.status, await beyond.json()]).toMatchObject([
    416,
    { error: { code: "range-not-satisfiable" } },
  ]);
});

test("HEAD tells the size without reading the content", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("data", "root");
  await fetch(object(console.url, "x"), { method: "PUT", body: "0123456789" });
  const head = await fetch(object(console.url, "x"), { method: "HEAD" });
  expect([head.status, head.headers.get("content-length")]).toEqual([200, "10"]);
  expect(console.objects.readPieceCount).toBe(0);
});

test("a reader that stops early holds the source back", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("data", "root");
  const pieceCount = 2048;
  await console.objects.putObject({
    bucket: "data",
    key: "large",
    body: new Uint8Array(pieceCount * 64 * 1024),
  });
  const response = await fetch(object(console.url, "large"));
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  expect(console.objects.readPieceCount).toBeLessThan(pieceCount);
});

test("what is not there is 404 with its own code", async () => {
  await using console = await startConsole();
  const noBucket = await fetch(object(console.url, "x"));
  expect([noBucket.status, await noBucket.json()]).toMatchObject([
    404,
    { error: { code: "no-such-bucket" } },
  ]);
  await console.objects.createBucket("data", "root");
  const noObject = await fetch(object(console.url, "x"));
  expect([noObject.status, await noObject.json()]).toMatchObject([
    404,
    { error: { code: "no-such-object" } },
  ]);
});

test("each operation asks for the action of S3 on the very object, and stops at a denial", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("data", "root");
  console.admission = admittedAs({ kind: "identity", name: "ann" });
  for (const [method, action] of [
    ["GET", "s3:GetObject"],
    ["PUT", "s3:PutObject"],
    ["DELETE", "s3:DeleteObject"],
  ] as const) {
    console.denied.add(action);
    const refused = await fetch(object(console.url, "k/1"), {
      method,
      ...(method === "PUT" ? { body: "x" } : {}),
    });
    expect([refused.status, await refused.json()]).toMatchObject([
      403,
      { error: { code: "access-denied" } },
    ]);
    expect(console.asked.at(-1)).toBe(`${action} arn:aws:s3:::data/k/1`);
  }
  expect(await console.objects.headObject("data", "k/1")).toBeUndefined();
});

test("a listing rolls up folders and goes on after its last item", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("data", "root");
  for (const key of ["a/1", "a/2", "b", "c"]) {
    await console.objects.putObject({ bucket: "data", key, body: new Uint8Array(1) });
  }
  const list = async (query: string) =>
    (await fetch(`${console.url}/api/v1/buckets/data/objects?delimiter=/&${query}`)).json();
  expect(await list("limit=2")).toMatchObject({
    items: [
      { kind: "prefix", prefix: "a/" },
      { kind: "object", key: "b", size_bytes: 1 },
    ],
    next: "b",
  });
  expect(await list("limit=2&after=b")).toMatchObject({ items: [{ key: "c" }], next: null });
  expect(await list("limit=0")).toMatchObject({ error: { code: "bad-request" } });
  expect(await list("limit=1001")).toMatchObject({ error: { code: "bad-request" } });
});

test("renaming needs the right to read and delete the source and to write the target", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("data", "root");
  await console.objects.putObject({ bucket: "data", key: "a", body: new Uint8Array(3) });
  const rename = () =>
    fetch(`${console.url}/api/v1/buckets/data/rename`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ source: "a", target: "b" }),
    });
  for (const action of ["s3:GetObject", "s3:DeleteObject", "s3:PutObject"]) {
    console.denied.add(action);
    expect((await rename()).status).toBe(403);
    console.denied.delete(action);
  }
  expect((await rename()).status).toBe(204);
  expect((await console.objects.headObject("data", "b"))?.sizeBytes).toBe(3);
});
