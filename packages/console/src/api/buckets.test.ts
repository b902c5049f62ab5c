import { expect, test } from "bun:test";
import { admittedAs, startConsole } from "../testing/console-server.ts";

const send = async (url: string, method: string, body?: unknown) => {
  const response = await fetch(url, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
};

test("a bucket is made once, belongs to its maker, and goes when it is empty", async () => {
  await using console = await startConsole();
  const buckets = `${console.url}/api/v1/buckets`;
  console.admission = admittedAs({ kind: "identity", name: "ann" });
  expect(await send(buckets, "POST", { name: "one" })).toMatchObject({
    status: 201,
    body: { name: "one", owner: "ann", object_count: 0, quota_bytes: null },
  });
  expect(await send(buckets, "POST", { name: "one" })).toMatchObject({
    status: 409,
    body: { error: { code: "bucket-exists" } },
  });
  await console.objects.putObject({ bucket: "one", key: "k", body: new Uint8Array(1) });
  expect(await send(`${buckets}/one`, "DELETE")).toMatchObject({
    status: 409,
    body: { error: { code: "bucket-not-empty" } },
  });
  await console.objects.deleteObject("one", "k");
  expect((await send(`${buckets}/one`, "DELETE")).status).toBe(204);
  expect((await send(`${buckets}/one`, "DELETE")).status).toBe(404);
});

test("a bad name is refused in words", async () => {
  await using console = await startConsole();
  expect(await send(`${console.url}/api/v1/buckets`, "POST", { name: "No_Name" })).toMatchObject({
    status: 400,
    body: { error: { code: "invalid-bucket-name" } },
  });
});

test("buckets that the caller may not list are not shown", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("one", "root");
  const list = `${console.url}/api/v1/buckets`;
  expect(await send(list, "GET")).toMatchObject({ body: { buckets: [{ name: "one" }] } });
  console.denied.add("s3:ListBucket");
  expect(await send(list, "GET")).toEqual({ status: 200, body: { buckets: [] } });
});

test("a quota is set, holds, and is lifted by null", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("one", "root");
  const quota = `${console.url}/api/v1/buckets/one/quota`;
  expect(await send(quota, "PUT", { quota_bytes: 2 })).toMatchObject({ body: { quota_bytes: 2 } });
  const put = await fetch(`${console.url}/api/v1/buckets/one/object?key=k`, {
    method: "PUT",
    body: "12345",
  });
  expect([put.status, await put.json()]).toMatchObject([
    507,
    { error: { code: "quota-exceeded" } },
  ]);
  expect(await send(quota, "PUT", { quota_bytes: null })).toMatchObject({
    body: { quota_bytes: null },
  });
  for (const bad of [-1, 0, 1.5, "1", 2 ** 53]) {
    expect((await send(quota, "PUT", { quota_bytes: bad })).status).toBe(400);
    expect((await send(quota, "PUT", { quota_objects: bad })).status).toBe(400);
  }
  expect((await send(quota, "PUT", {})).status).toBe(400);
});

test("a quota of objects stands beside that of bytes, and neither drops the other", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("one", "root");
  const quota = `${console.url}/api/v1/buckets/one/quota`;
  await send(quota, "PUT", { quota_bytes: 100 });
  expect(await send(quota, "PUT", { quota_objects: 1 })).toMatchObject({
    body: { quota_bytes: 100, quota_objects: 1 },
  });
  const put = (key: string): Promise<Response> =>
    fetch(`${console.url}/api/v1/buckets/one/object?key=${key}`, { method: "PUT", body: "1" });
  expect([(await put("a")).status, (await put("b")).status, (await put("a")).status]).toEqual([
    201, 507, 201,
  ]);
  expect(await send(quota, "PUT", { quota_bytes: null })).toMatchObject({
    body: { quota_bytes: null, quota_objects: 1 },
  });
});
