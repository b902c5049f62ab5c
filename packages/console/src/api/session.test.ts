import { expect, test } from "bun:test";
import type { Admission } from "@kelp/wire";
import { TEST_PAIR, startConsole } from "../testing/console-server.ts";

const UNKNOWN: Admission = { kind: "refused", status: 401, message: "Sign in first" };
const FOREIGN: Admission = { kind: "refused", status: 403, message: "Foreign origin" };

const signIn = (url: string, body: unknown, type = "application/json") =>
  fetch(`${url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": type },
    body: JSON.stringify(body),
  });

test("the right pair opens a session for somebody the gate did not know", async () => {
  await using console = await startConsole();
  console.admission = UNKNOWN;
  const answer = await signIn(console.url, {
    access_key: TEST_PAIR.accessKey,
    secret_key: TEST_PAIR.secretKey,
  });
  expect(answer.headers.get("set-cookie")).toBe("kelp_session=new; HttpOnly");
  expect(await answer.json()).toEqual({ principal: "root", kind: "root", via: "session" });
});

test("a wrong pair, a missing field, a further field and a form are refused", async () => {
  await using console = await startConsole();
  console.admission = UNKNOWN;
  const pair = { access_key: TEST_PAIR.accessKey, secret_key: "wrong" };
  expect((await signIn(console.url, pair)).status).toBe(401);
  expect((await signIn(console.url, { access_key: "a" })).status).toBe(400);
  expect((await signIn(console.url, { ...pair, more: 1 })).status).toBe(400);
  expect((await signIn(console.url, pair, "text/plain")).status).toBe(400);
});

test("a foreign origin can neither sign in nor out nor load the app", async () => {
  await using console = await startConsole();
  console.admission = FOREIGN;
  const pair = { access_key: TEST_PAIR.accessKey, secret_key: TEST_PAIR.secretKey };
  expect((await signIn(console.url, pair)).status).toBe(403);
  const out = await fetch(`${console.url}/api/v1/session`, { method: "DELETE" });
  expect([out.status, out.headers.get("set-cookie")]).toEqual([403, null]);
  expect((await fetch(console.url)).status).toBe(403);
});

test("every other route is closed to those who did not sign in", async () => {
  await using console = await startConsole();
  console.admission = UNKNOWN;
  for (const path of [
    "session",
    "overview",
    "cluster",
    "volumes",
    "buckets",
    "buckets/b",
    "buckets/b/objects",
    "buckets/b/object?key=k",
    "buckets/b/object/info?key=k",
    "buckets/b/entry?key=k",
    "identities",
  ]) {
    const answer = await fetch(`${console.url}/api/v1/${path}`);
    expect([path, answer.status, await answer.json()]).toMatchObject([
      path,
      401,
      { error: { code: "sign-in-required" } },
    ]);
  }
});

test("a body over the limit is refused before it is read as JSON", async () => {
  await using console = await startConsole();
  const answer = await signIn(console.url, { access_key: "a".repeat(100_000), secret_key: "b" });
  expect([answer.status, await answer.json()]).toMatchObject([
    413,
    { error: { code: "too-large" } },
  ]);
});

test("an unknown route says so in the form of this API", async () => {
  await using console = await startConsole();
  const answer = await fetch(`${console.url}/api/v1/nothing`);
  expect([answer.status, await answer.json()]).toMatchObject([
    404,
    { error: { code: "no-such-route" } },
  ]);
});

test.each([401, 403] as const)(
  "whom the gate refused with %d gets that answer from every other route, whatever they send",
  async (status) => {
    await using console = await startConsole();
    console.admission = { kind: "refused", status, message: "No" };
    for (const [method, path] of [
      ["POST", "buckets"],
      ["POST", "buckets/b/rename"],
      ["PUT", "identities/ann"],
      ["GET", "no-such-route"],
    ] as const) {
      const body = method === "GET" ? {} : { body: "x".repeat(100_000) };
      const answer = await fetch(`${console.url}/api/v1/${path}`, { method, ...body });
      expect(answer.status).toBe(status);
    }
    expect(console.asked).toEqual([]);
  },
);
