import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FilerDoorWorld, JSON_ONLY, openFilerDoorWorld } from "../testing/filer-door-world.ts";

let door: FilerDoorWorld;

beforeAll(async () => {
  door = await openFilerDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

test("rights in a bucket are those of S3, elsewhere the filer's own", async () => {
  await door.put("/buckets/photos/a.txt", "a");
  await door.put("/buckets/photos/other.txt", "o");
  await door.put("/eve/in.txt", "in");
  await door.put("/eve/out.txt", "out");
  expect(await door.status("/buckets/photos/a.txt", {}, "ann")).toBe(200);
  expect(await door.status("/buckets/photos/other.txt", {}, "ann")).toBe(403);
  expect(await door.status("/buckets/photos/absent.txt", {}, "ann")).toBe(403);
  expect(await door.status("/buckets/photos/", JSON_ONLY, "ann")).toBe(200);
  expect(await door.status("/buckets", JSON_ONLY, "ann")).toBe(200);
  expect(await door.status("/buckets/photos/a.txt", { method: "DELETE" }, "ann")).toBe(403);
  expect(await door.status("/buckets/photos/b.txt", { method: "PUT", body: "b" }, "bob")).toBe(201);
  expect(await door.status("/buckets/photos/b.txt", {}, "bob")).toBe(403);
  expect(await door.status("/buckets/photos/c.txt", { method: "PUT", body: "b" }, "bob")).toBe(403);
  expect(
    await door.status(
      "/buckets/photos/b.txt?cp.from=/buckets/photos/a.txt",
      { method: "POST" },
      "bob",
    ),
  ).toBe(403);
  expect(await door.status("/buckets", JSON_ONLY, "bob")).toBe(403);
  expect(await door.status("/buckets/bobs-own/", { method: "POST" }, "bob")).toBe(403);
  expect(await door.status("/eve/in.txt", {}, "eve")).toBe(200);
  expect(await door.status("/eve/in.txt", { method: "PUT", body: "new" }, "eve")).toBe(201);
  expect(await door.status("/eve/in.txt", { method: "DELETE" }, "eve")).toBe(403);
  expect(await door.status("/eve/out.txt", {}, "eve")).toBe(403);
  expect(await door.status("/eve/", JSON_ONLY, "eve")).toBe(403);
  expect(await door.status("/", {}, "eve")).toBe(403);
  for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"]) {
    expect(await door.status("/eve/in.txt", { method }, "")).toBe(401);
  }
  expect(await (await door.ask("/healthz", {}, "")).text()).toBe("ok\n");
});

test("a listing tells tags and metadata of those files alone that its reader may read", async () => {
  const said = { "seaweed-owner": "bob", "x-amz-meta-note": "secret", "content-type": "x/secret" };
  await door.put("/buckets/photos/a.txt", "a", said);
  await door.put("/buckets/photos/hidden/f", "x", said);
  await door.put("/buckets/photos/closed.txt", "x", said);
  const extended = async (path: string, caller: string): Promise<unknown[]> => {
    const listing = await (await door.ask(path, JSON_ONLY, caller)).json();
    return (
      listing as { Entries: { FullPath: string; Extended: unknown; Mime: string }[] }
    ).Entries.filter(({ FullPath }) => /(a|closed)\.txt$|\/f$/.test(FullPath)).map(
      ({ Extended, Mime }) => [Extended !== null, Mime],
    );
  };
  expect(await extended("/buckets/photos/", "ann")).toEqual([
    [true, "x/secret"],
    [false, "text/plain; charset=utf-8"],
  ]);
  expect(await extended("/buckets/photos/hidden/", "ann")).toEqual([[false, ""]]);
  expect(await extended("/buckets/photos/hidden/", "root")).toEqual([[true, "x/secret"]]);
});

test("a token opens what is below its prefixes, with its methods", async () => {
  await door.put("/t20/in/f", "x");
  await door.put("/t20/inner", "x");
  const grant = (prefixes: string[], methods: string[]): string =>
    JSON.stringify({ kind: "path", prefixes, methods });
  expect(await door.status("/t20/in/f", {}, grant(["/t20/in"], ["GET"]))).toBe(200);
  expect(await door.status("/t20/in/", JSON_ONLY, grant(["/t20/in/"], ["GET"]))).toBe(200);
  expect(await door.status("/t20/inner", {}, grant(["/t20/in"], ["GET"]))).toBe(403);
  expect(await door.status("/t20/in/f", { method: "DELETE" }, grant(["/t20/in"], ["GET"]))).toBe(
    403,
  );
  expect(await door.status("/t20/in/f", { method: "PUT", body: "y" }, grant([], ["PUT"]))).toBe(
    201,
  );
  expect(await door.status("/buckets/photos/a.txt", {}, grant(["/t20"], []))).toBe(403);
  const mover = grant(["/t20/in"], ["POST"]);
  expect(await door.status("/t20/in/g?mv.from=/t20/inner", { method: "POST" }, mover)).toBe(403);
  expect(await door.status("/t20/in/g?mv.from=/t20/in/f", { method: "POST" }, mover)).toBe(403);
  const all = grant(["/t20/in"], ["POST", "GET", "DELETE"]);
  expect(await door.status("/t20/in/g?mv.from=/t20/in/f", { method: "POST" }, all)).toBe(204);
  expect(await door.status("/t20/in/g", {}, '{"kind":"needle","fid":"3,01637037d6"}')).toBe(403);
});
