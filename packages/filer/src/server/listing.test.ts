import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  type FilerDoorWorld,
  JSON_ONLY,
  type Listing,
  names,
  openFilerDoorWorld,
} from "../testing/filer-door-world.ts";

let door: FilerDoorWorld;

beforeAll(async () => {
  door = await openFilerDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

test("a folder lists what is in it, in the names of SeaweedFS", async () => {
  await door.put("/t6/b.txt", "bee", { "seaweed-tag": "1" });
  await door.put("/t6/sub/deep", "x");
  await door.put("/t6/a.txt", "a");
  const response = await door.ask("/t6/", JSON_ONLY);
  expect(response.headers.get("content-type")).toBe("application/json");
  const listing: FolderAnswer = (await response.json()) as FolderAnswer;
  expect(Object.keys(listing)).toEqual([
    "Version",
    "Path",
    "Entries",
    "Limit",
    "LastFileName",
    "ShouldDisplayLoadMore",
    "EmptyFolder",
  ]);
  expect(listing).toMatchObject({
    Version: "0.0.1",
    Path: "/t6",
    Limit: 100_000,
    LastFileName: "sub/",
    ShouldDisplayLoadMore: false,
    EmptyFolder: false,
  });
  const [a, b, sub] = listing.Entries;
  expect(Object.keys(a ?? {}).join(" ")).toBe(
    "FullPath Mtime Crtime Ctime Atime Mode Uid Gid Mime TtlSec UserName GroupNames SymlinkTarget Md5 FileSize Rdev Inode HardLinkId HardLinkCounter Content Remote Quota WORMEnforcedAtTsNs Extended",
  );
  expect(a).toMatchObject({ FullPath: "/t6/a.txt", FileSize: 1, Mode: 0o660 });
  expect(b).toMatchObject({
    Extended: { "Seaweed-Tag": "MQ==" },
    Mime: "text/plain; charset=utf-8",
  });
  expect(sub).toMatchObject({ FullPath: "/t6/sub", Mode: 2_147_484_152 });
  expect(names(await door.list("/t6"))).toEqual(["/t6/a.txt", "/t6/b.txt", "/t6/sub"]);
});

type FolderAnswer = { readonly Entries: readonly Record<string, unknown>[] };

test("an empty folder and an absent one differ", async () => {
  expect(await door.status("/t7/made/", { method: "POST" })).toBe(201);
  expect(await door.list("/t7/made/")).toMatchObject({ Entries: null, EmptyFolder: true });
  expect(await door.status("/t7/made/", { method: "POST" })).toBe(409);
  expect(await door.status("/t7/absent/")).toBe(404);
  expect(await door.status("/t7/absent")).toBe(404);
});

test("listing goes on behind what was told, however a client names it", async () => {
  for (const name of ["a", "b-x", "b/1", "b/2", "c"]) await door.put(`/t8/${name}`, "x");
  const expected = ["/t8/a", "/t8/b-x", "/t8/b", "/t8/c"];
  for (const nextOf of [
    (page: Listing): string => page.LastFileName,
    (page: Listing): string => names(page).at(-1)?.split("/").at(-1) ?? "",
  ]) {
    const all: string[] = [];
    let last = "";
    for (let pages = 0; pages < 10; pages++) {
      const page = await door.list(`/t8/?limit=1&lastFileName=${encodeURIComponent(last)}`);
      all.push(...names(page));
      if (!page.ShouldDisplayLoadMore) break;
      last = nextOf(page);
    }
    expect(all).toEqual(expected);
  }
});

test("names are chosen and left out by pattern", async () => {
  for (const name of ["a.jpg", "b.jpg", "b.txt", "notes"]) await door.put(`/t9/${name}`, "x");
  expect(names(await door.list("/t9/?namePattern=*.jpg"))).toEqual(["/t9/a.jpg", "/t9/b.jpg"]);
  expect(names(await door.list("/t9/?namePattern=?.*&namePatternExclude=*.txt"))).toEqual([
    "/t9/a.jpg",
    "/t9/b.jpg",
  ]);
  expect(await door.status(`/t9/?namePattern=${"*".repeat(300)}`, JSON_ONLY)).toBe(400);
});

test("the root shows the buckets among its folders, and the buckets are a folder", async () => {
  await door.put("/aaa", "x");
  await door.put("/zzz", "x");
  const root = names(await door.list("/"));
  expect(root).toEqual(root.toSorted());
  expect(root).toContain("/buckets");
  expect(names(await door.list("/?limit=1&lastFileName=aaa"))).toEqual(["/buckets"]);
  expect(names(await door.list("/buckets"))).toEqual(["/buckets/photos"]);
  expect(await door.status("/buckets/made-here/", { method: "POST" })).toBe(201);
  expect(await door.status("/buckets/made-here/", { method: "POST" })).toBe(409);
  expect(await door.status("/buckets/made-here?recursive=true", { method: "DELETE" })).toBe(204);
  expect(await door.status("/buckets/NO/", { method: "POST" })).toBe(400);
  expect(await door.put("/buckets/photo", "a file among buckets")).toBe(400);
  expect(await door.put("/buckets/absent/x", "x")).toBe(404);
});

test("trees of other kinds are not to be seen or changed", async () => {
  expect(await door.status("/buckets/volume-1/")).toBe(404);
  expect(await door.put("/buckets/volume-1/x", "x")).toBe(404);
  expect(await door.status("/buckets/volume-1?recursive=true", { method: "DELETE" })).toBe(404);
  expect(await door.status("/t10/x?cp.from=/buckets/volume-1/x", { method: "POST" })).toBe(404);
});

test("the page for people escapes every name and runs nothing", async () => {
  const name = `<img src=x onerror=alert(1)>&"'.html`;
  await door.put(`/t21/${encodeURIComponent(name)}`, "<script>alert(1)</script>");
  await door.put("/t21/folder/x", "x");
  const page = await door.ask("/t21/");
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  const html = await page.text();
  expect(html).not.toContain("<img");
  expect(html).not.toContain("<script");
  expect(html).toContain('href="/t21/folder/"');
  expect(html).toContain("&#60;img src=x onerror=alert(1)&#62;&#38;&#34;&#39;.html");
  const read = await door.ask(`/t21/${encodeURIComponent(name)}`);
  expect(read.headers.get("content-security-policy")).toBe("sandbox");
  const some = await door.text("/t21/?limit=1");
  expect(some).toContain("lastFileName=");
});
