import { expect, test } from "bun:test";
import { startConsole } from "./testing/console-server.ts";

const FILES: Readonly<Record<string, string>> = {
  "index.html": "<!doctype html><title>Kelp</title>",
  "assets/app-1a2b.js": "export {};",
};

const staticFiles = {
  read: async (path: string) =>
    FILES[path] === undefined ? undefined : new TextEncoder().encode(FILES[path]),
};

test("the page is asked for anew, hashed files are kept, and both run only this door's code", async () => {
  await using console = await startConsole({ staticFiles });
  const page = await fetch(console.url);
  expect([page.headers.get("cache-control"), await page.text()]).toEqual([
    "no-cache",
    FILES["index.html"] ?? "",
  ]);
  const policy = page.headers.get("content-security-policy");
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  const script = await fetch(`${console.url}/assets/app-1a2b.js`);
  expect(script.headers.get("cache-control")).toContain("immutable");
  expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
});

test("those who have to sign in still get the page", async () => {
  await using console = await startConsole({ staticFiles });
  console.admission = { kind: "refused", status: 401, message: "Sign in" };
  expect((await fetch(console.url)).status).toBe(200);
});

test("absent files are 404 and other methods 405", async () => {
  await using console = await startConsole({ staticFiles });
  expect((await fetch(`${console.url}/assets/gone.js`)).status).toBe(404);
  expect((await fetch(console.url, { method: "POST" })).status).toBe(405);
});

test("without a build the door says how to make one", async () => {
  await using console = await startConsole();
  const answer = await fetch(console.url);
  expect([answer.status, await answer.text()]).toEqual([
    503,
    expect.stringContaining("not built") as unknown as string,
  ]);
});
