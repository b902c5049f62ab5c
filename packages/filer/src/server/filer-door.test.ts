import { afterAll, beforeAll, expect, test } from "bun:test";
import { silentLog } from "@kelp/base";
import type { HttpDoor } from "@kelp/base/http";
import { systemClock, systemTcpNetwork } from "@kelp/base/platform";
import type { EntryPath, TreeName } from "@kelp/wire";
import { CALLER_HEADER, believingGate, listAuthorizer } from "@kelp/wire/testing";
import { type FilerWorld, openFilerWorld } from "../testing/index.ts";
import { openFilerDoor } from "./filer-door.ts";

const BUCKET = "photos" as TreeName;
let world: FilerWorld;
let door: HttpDoor;

beforeAll(async () => {
  world = openFilerWorld({ clock: systemClock });
  await world.filer.createTree({ name: BUCKET, kind: "bucket", owner: "root" });
  await world.filer.createTree({ name: "volume-1" as TreeName, kind: "csi-volume", owner: "root" });
  door = await openFilerDoor({
    filer: world.filer,
    gate: believingGate(),
    authorizer: listAuthorizer(
      "ann s3:GetObject arn:aws:s3:::photos/a.txt",
      "ann s3:ListBucket arn:aws:s3:::photos",
      "bob s3:PutObject arn:aws:s3:::photos/b.txt",
      "eve filer:Read arn:kelp:filer:::/eve/in.txt",
      "eve filer:Write arn:kelp:filer:::/eve/in.txt",
    ),
    clock: systemClock,
    log: silentLog,
    version: "0.0.1",
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
  });
});

afterAll(async () => {
  await door.stop();
  world[Symbol.dispose]();
});

function ask(path: string, init: RequestInit = {}, caller = "root"): Promise<Response> {
  const headers = new Headers(init.headers);
  if (caller !== "") headers.set(CALLER_HEADER, caller);
  return fetch(`http://127.0.0.1:${door.port}${path}`, { ...init, headers, redirect: "manual" });
}

async function status(path: string, init?: RequestInit, caller?: string): Promise<number> {
  const response = await ask(path, init, caller);
  await response.arrayBuffer();
  return response.status;
}

async function text(path: string, init?: RequestInit): Promise<string> {
  return (await ask(path, init)).text();
}

function put(path: string, body: string, headers: Record<string, string> = {}): Promise<number> {
  return status(path, { method: "PUT", body, headers });
}

function form(content: string, name: string): FormData {
  const data = new FormData();
  data.append("note", "ignored");
  data.append("file", new File([content], name));
  return data;
}

interface Listing {
  readonly Entries: readonly { readonly FullPath: string; readonly Mode: number }[] | null;
  readonly LastFileName: string;
  readonly ShouldDisplayLoadMore: boolean;
  readonly EmptyFolder: boolean;
}

const JSON_ONLY = { headers: { accept: "application/json" } };

async function list(path: string): Promise<Listing> {
  return (await (await ask(path, JSON_ONLY)).json()) as Listing;
}

function names(listing: Listing): string[] {
  return (listing.Entries ?? []).map(({ FullPath }) => FullPath);
}

test("a raw body is a file, in the root and in a bucket", async () => {
  for (const path of ["/t1/a.txt", "/buckets/photos/t1/a.txt"]) {
    const written = await ask(path, { method: "PUT", body: "hello" });
    expect([written.status, await written.json()]).toEqual([201, { name: "a.txt", size: 5 }]);
    const read = await ask(path);
    expect([read.status, await read.text()]).toEqual([200, "hello"]);
    expect(read.headers.get("etag")).toBe('"5d41402abc4b2a76b9719d911017c592"');
    expect(read.headers.get("content-type")).toStartWith("text/plain");
    expect(read.headers.get("content-disposition")).toBe('inline; filename="a.txt"');
    expect(read.headers.get("content-security-policy")).toBe("sandbox");
    expect(await text(path, { headers: { range: "bytes=1-2" } })).toBe("el");
    const etag = read.headers.get("etag") ?? "";
    expect(await status(path, { headers: { "if-none-match": etag } })).toBe(304);
    expect(await status(path, { method: "HEAD" })).toBe(200);
  }
});

test("a file of a bucket is the object that the S3 door has, both ways", async () => {
  const headers = {
    "content-type": "image/x-one",
    "seaweed-colour": "r\u00f4se",
    "x-amz-meta-shape": "round",
    "cache-control": "no-cache",
  };
  await put("/buckets/photos/both", "x", {
    ...headers,
    "seaweed-colour": Buffer.from("r\u00f4se").toString("latin1"),
  });
  const entry = await world.filer.getEntry(BUCKET, "both" as EntryPath);
  expect(entry.kind === "ok" && entry.value.attributes).toEqual(headers);
  await world.filer.writeFile({
    tree: BUCKET,
    path: "from-s3" as EntryPath,
    body: Buffer.from("from s3"),
    describe: () => ({
      attributes: { "content-type": "text/x-s3", "x-amz-meta-k": "v", "kelp-part-sizes": "secret" },
      etag: "00000000000000000000000000000000-2",
    }),
  });
  const read = await ask("/buckets/photos/from-s3");
  expect(read.headers.get("content-type")).toBe("text/x-s3");
  expect(read.headers.get("x-amz-meta-k")).toBe("v");
  expect(read.headers.get("etag")).toBe('"00000000000000000000000000000000-2"');
  expect([...read.headers.keys()]).not.toContain("kelp-part-sizes");
});

test("a form puts its file under the path, or under its own name in a folder", async () => {
  const init = (): RequestInit => ({ method: "POST", body: form("content", "dir\\my file.txt") });
  expect(await status("/t3/named.txt", init())).toBe(201);
  expect(await text("/t3/named.txt")).toBe("content");
  expect(await status("/t3/", init())).toBe(201);
  expect(await text("/t3/my%20file.txt")).toBe("content");
  expect(await status("/t3/", { method: "POST", body: "raw" })).toBe(400);
  for (const name of ["..", "."]) {
    expect(await status("/t3/", { method: "POST", body: form("x", name) })).toBe(400);
  }
});

test("a large streamed form is stored whole", async () => {
  const content = "0123456789abcdef".repeat(300_000);
  expect(await status("/t4/large.bin", { method: "POST", body: form(content, "large.bin") })).toBe(
    201,
  );
  expect(await text("/t4/large.bin")).toBe(content);
});

test("a wrong Content-MD5 leaves the old file", async () => {
  await put("/t5/f", "old");
  expect(await put("/t5/f", "new", { "content-md5": Buffer.alloc(16).toString("base64") })).toBe(
    400,
  );
  expect(await text("/t5/f")).toBe("old");
});

test("a folder lists what is in it, in the names of SeaweedFS", async () => {
  await put("/t6/b.txt", "bee", { "seaweed-tag": "1" });
  await put("/t6/sub/deep", "x");
  await put("/t6/a.txt", "a");
  const response = await ask("/t6/", JSON_ONLY);
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
  expect(names(await list("/t6"))).toEqual(["/t6/a.txt", "/t6/b.txt", "/t6/sub"]);
});

type FolderAnswer = { readonly Entries: readonly Record<string, unknown>[] };

test("an empty folder and an absent one differ", async () => {
  expect(await status("/t7/made/", { method: "POST" })).toBe(201);
  expect(await list("/t7/made/")).toMatchObject({ Entries: null, EmptyFolder: true });
  expect(await status("/t7/made/", { method: "POST" })).toBe(409);
  expect(await status("/t7/absent/")).toBe(404);
  expect(await status("/t7/absent")).toBe(404);
});

test("listing goes on behind what was told, however a client names it", async () => {
  for (const name of ["a", "b-x", "b/1", "b/2", "c"]) await put(`/t8/${name}`, "x");
  const expected = ["/t8/a", "/t8/b-x", "/t8/b", "/t8/c"];
  for (const nextOf of [
    (page: Listing): string => page.LastFileName,
    (page: Listing): string => names(page).at(-1)?.split("/").at(-1) ?? "",
  ]) {
    const all: string[] = [];
    let last = "";
    for (let pages = 0; pages < 10; pages++) {
      const page = await list(`/t8/?limit=1&lastFileName=${encodeURIComponent(last)}`);
      all.push(...names(page));
      if (!page.ShouldDisplayLoadMore) break;
      last = nextOf(page);
    }
    expect(all).toEqual(expected);
  }
});

test("names are chosen and left out by pattern", async () => {
  for (const name of ["a.jpg", "b.jpg", "b.txt", "notes"]) await put(`/t9/${name}`, "x");
  expect(names(await list("/t9/?namePattern=*.jpg"))).toEqual(["/t9/a.jpg", "/t9/b.jpg"]);
  expect(names(await list("/t9/?namePattern=?.*&namePatternExclude=*.txt"))).toEqual([
    "/t9/a.jpg",
    "/t9/b.jpg",
  ]);
  expect(await status(`/t9/?namePattern=${"*".repeat(300)}`, JSON_ONLY)).toBe(400);
});

test("the root shows the buckets among its folders, and the buckets are a folder", async () => {
  await put("/aaa", "x");
  await put("/zzz", "x");
  const root = names(await list("/"));
  expect(root).toEqual(root.toSorted());
  expect(root).toContain("/buckets");
  expect(names(await list("/?limit=1&lastFileName=aaa"))).toEqual(["/buckets"]);
  expect(names(await list("/buckets"))).toEqual(["/buckets/photos"]);
  expect(await status("/buckets/made-here/", { method: "POST" })).toBe(201);
  expect(await status("/buckets/made-here/", { method: "POST" })).toBe(409);
  expect(await status("/buckets/made-here?recursive=true", { method: "DELETE" })).toBe(204);
  expect(await status("/buckets/NO/", { method: "POST" })).toBe(400);
  expect(await put("/buckets/photo", "a file among buckets")).toBe(400);
  expect(await put("/buckets/absent/x", "x")).toBe(404);
});

test("trees of other kinds are not to be seen or changed", async () => {
  expect(await status("/buckets/volume-1/")).toBe(404);
  expect(await put("/buckets/volume-1/x", "x")).toBe(404);
  expect(await status("/buckets/volume-1?recursive=true", { method: "DELETE" })).toBe(404);
  expect(await status("/t10/x?cp.from=/buckets/volume-1/x", { method: "POST" })).toBe(404);
});

test("one entry is told as JSON when asked for", async () => {
  await put("/t11/f", "abc");
  expect(await (await ask("/t11/f?metadata=true")).json()).toMatchObject({
    FullPath: "/t11/f",
    FileSize: 3,
    Md5: "kAFQmDzST7DWlj99KOF/cg==",
    Content: "YWJj",
  });
  expect(await (await ask("/t11/?metadata=true")).json()).toMatchObject({ FullPath: "/t11" });
  await put("/t11/big", "x".repeat(20_000));
  const told: { chunks?: { size: number; file_id: string }[] } = (await (
    await ask("/t11/big?metadata=true")
  ).json()) as never;
  expect(told.chunks?.map(({ size }) => size)).toEqual([20_000]);
  expect(told.chunks?.[0]?.file_id).toMatch(/^\d+,[0-9a-f]+$/);
});

test("content is appended, and written over from an offset", async () => {
  const post = (query: string, body: string): Promise<Response> =>
    ask(`/t12/f?${query}`, { method: "POST", body, headers: { "content-type": "text/x-log" } });
  expect(await (await post("op=append", "one")).json()).toEqual({ name: "f", size: 3 });
  await post("op=append", ",two");
  expect(await text("/t12/f")).toBe("one,two");
  await post("offset=1", "NE");
  expect(await text("/t12/f")).toBe("oNE,two");
  await post("offset=9", "!");
  expect(await text("/t12/f")).toBe("oNE,two\0\0!");
  expect((await ask("/t12/f")).headers.get("content-type")).toBe("text/x-log");
  expect((await post("offset=99999999999", "!")).status).toBe(400);
});

test("a file of chunks grows by chunks, under its conditions and with an ETag of its pieces", async () => {
  const large = "x".repeat(100_000);
  const append = (added: string, headers: Record<string, string> = {}): Promise<Response> =>
    ask("/t12/large?op=append", { method: "POST", body: added, headers });
  await put("/t12/large", large, { "seaweed-k": "v", "content-type": "text/x-log" });
  const first = (await ask("/t12/large")).headers.get("etag") ?? "";
  const { volumes } = world;
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
  expect(await status("/t12/large?op=append", { method: "POST", body })).toBe(201);
  const read = await ask("/t12/large");
  expect([read.headers.get("seaweed-k"), read.headers.get("content-type")]).toEqual([
    "v",
    "text/x-log",
  ]);
  expect(await read.text()).toBe(`${large}one,form`);
  // What a refused one had stored is gone.
  expect(volumes.storedBytes).toBe(storedBytes + 8);
  await status("/t12/large?offset=0", { method: "POST", body: "y" });
  expect(await text("/t12/large")).toBe(`y${large.slice(1)}one,form`);
});

test("conditions hold for a change in part as for a whole", async () => {
  const change = (query: string, headers: Record<string, string>): Promise<number> =>
    status(`/t12/c?${query}`, { method: "POST", body: "x", headers });
  for (const query of ["op=append", "offset=0"]) {
    expect(await change(query, { "if-match": "*" })).toBe(412);
    expect(await change(query, { "if-none-match": "*" })).toBe(201);
    expect(await change(query, { "if-none-match": "*" })).toBe(412);
    expect(await change(query, { "if-match": '"00000000000000000000000000000000"' })).toBe(412);
    const etag = (await ask("/t12/c")).headers.get("etag") ?? "";
    expect(await change(query, { "if-match": etag })).toBe(201);
    await status("/t12/c", { method: "DELETE" });
  }
});

test("appends at the same time all arrive", async () => {
  const lines = Array.from({ length: 20 }, (_, at) => `${at}\n`);
  await Promise.all(lines.map((body) => ask("/t13/log?op=append", { method: "POST", body })));
  const found = (await text("/t13/log")).trim().split("\n");
  expect(found.toSorted()).toEqual(lines.map((line) => line.trim()).toSorted());
});

test("files and folders are moved and copied, also between trees", async () => {
  await put("/t14/f", "file", { "seaweed-k": "v" });
  const post = (path: string): Promise<number> => status(path, { method: "POST" });
  expect(await post("/t14/g?mv.from=/t14/f")).toBe(204);
  expect(await status("/t14/f")).toBe(404);
  expect((await ask("/t14/g")).headers.get("seaweed-k")).toBe("v");
  expect(await post("/t14/h?cp.from=/t14/g")).toBe(204);
  expect(await text("/t14/g")).toBe("file");
  expect(await text("/t14/h")).toBe("file");
  await put("/t14/dir/1", "1");
  await put("/t14/dir/sub/2", "2");
  expect(await post("/t14/moved?mv.from=/t14/dir")).toBe(204);
  expect(await text("/t14/moved/sub/2")).toBe("2");
  expect(await status("/t14/dir/1")).toBe(404);
  expect(await post("/buckets/photos/t14/?mv.from=/t14/moved")).toBe(204);
  expect(await text("/buckets/photos/t14/moved/sub/2")).toBe("2");
  expect(await status("/t14/moved/")).toBe(404);
  expect(await post("/t14/back?cp.from=/buckets/photos/t14/moved/1")).toBe(204);
  expect(await text("/t14/back")).toBe("1");
  expect(await post("/t14/x?mv.from=/t14/absent")).toBe(404);
  expect(await post("/buckets/photos/t14/moved/in?mv.from=/buckets/photos/t14/moved")).toBe(400);
  expect(await post("/t14/x?mv.from=/t14/../../etc")).toBe(400);
});

test("tags are added and taken away without touching the content", async () => {
  await put("/t15/f", "x", { "seaweed-a": "1" });
  const init = { method: "PUT", headers: { "seaweed-b": "2" } };
  expect(await status("/t15/f?tagging", init)).toBe(202);
  let headers = (await ask("/t15/f")).headers;
  expect([headers.get("seaweed-a"), headers.get("seaweed-b")]).toEqual(["1", "2"]);
  expect(await status("/t15/f?tagging=A", { method: "DELETE" })).toBe(202);
  expect(await status("/t15/f?tagging=A", { method: "DELETE" })).toBe(304);
  expect(await status("/t15/f?tagging", { method: "DELETE" })).toBe(202);
  headers = (await ask("/t15/f")).headers;
  expect(headers.get("seaweed-b")).toBeNull();
  expect(await status("/t15/f?tagging", { method: "PUT" })).toBe(400);
  expect(await status("/t15/absent?tagging", init)).toBe(404);
});

test("deleting a folder takes a word when something is in it", async () => {
  await put("/t16/d/f", "x");
  await put("/t16/dd", "x");
  expect(await status("/t16/d", { method: "DELETE" })).toBe(409);
  expect(await status("/t16/d/f")).toBe(200);
  expect(await status("/t16/d?recursive=true", { method: "DELETE" })).toBe(204);
  expect(await status("/t16/d/f")).toBe(404);
  expect(await status("/t16/dd")).toBe(200);
  expect(await status("/t16/d", { method: "DELETE" })).toBe(204);
  expect(await status("/?recursive=true", { method: "DELETE" })).toBe(403);
  expect(await status("/buckets?recursive=true", { method: "DELETE" })).toBe(403);
  expect(await status("/t16/dd?skipChunkDeletion=true", { method: "DELETE" })).toBe(501);
});

test("a name is a file or a folder, not both", async () => {
  await put("/t17/f", "x");
  expect(await put("/t17/f/below", "x")).toBe(409);
  await put("/t17/d/f", "x");
  expect(await put("/t17/d", "x")).toBe(409);
  expect(await status("/t17/f/", { method: "POST" })).toBe(409);
  await put("/t17/g", "x");
  for (const call of ["mv.from", "cp.from"]) {
    expect(await status(`/t17/f/below?${call}=/t17/g`, { method: "POST" })).toBe(409);
    expect(await status(`/t17/g/below?${call}=/t17/g`, { method: "POST" })).toBe(409);
  }
});

test("conditions, lifetimes and limits of names are kept", async () => {
  expect(await put("/t18/f", "1", { "if-none-match": "*" })).toBe(201);
  expect(await put("/t18/f", "2", { "if-none-match": "*" })).toBe(412);
  expect(await put("/t18/f", "2", { "if-match": '"c4ca4238a0b923820dcc509a6f75849b"' })).toBe(201);
  expect(await put("/t18/ttl?ttl=2d&mode=0644", "x")).toBe(201);
  const told = await (await ask("/t18/ttl?metadata=true")).json();
  expect(told).toMatchObject({ Mode: 0o644 });
  expect(await put("/t18/ttl?ttl=soon", "x")).toBe(400);
  expect(await put("/t18/mode?mode=rw", "x")).toBe(400);
  expect(await put(`/t18/${"n".repeat(1100)}`, "x")).toBe(414);
});

test("over quota is told as such", async () => {
  const name = "small" as TreeName;
  await world.filer.createTree({ name, kind: "bucket", owner: "root" });
  await world.filer.setQuota(name, { bytes: 10 });
  expect(await put("/buckets/small/x", "x".repeat(100))).toBe(507);
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

test("rights in a bucket are those of S3, elsewhere the filer's own", async () => {
  await put("/buckets/photos/a.txt", "a");
  await put("/buckets/photos/other.txt", "o");
  await put("/eve/in.txt", "in");
  await put("/eve/out.txt", "out");
  expect(await status("/buckets/photos/a.txt", {}, "ann")).toBe(200);
  expect(await status("/buckets/photos/other.txt", {}, "ann")).toBe(403);
  expect(await status("/buckets/photos/absent.txt", {}, "ann")).toBe(403);
  expect(await status("/buckets/photos/", JSON_ONLY, "ann")).toBe(200);
  expect(await status("/buckets", JSON_ONLY, "ann")).toBe(200);
  expect(await status("/buckets/photos/a.txt", { method: "DELETE" }, "ann")).toBe(403);
  expect(await status("/buckets/photos/b.txt", { method: "PUT", body: "b" }, "bob")).toBe(201);
  expect(await status("/buckets/photos/b.txt", {}, "bob")).toBe(403);
  expect(await status("/buckets/photos/c.txt", { method: "PUT", body: "b" }, "bob")).toBe(403);
  expect(
    await status("/buckets/photos/b.txt?cp.from=/buckets/photos/a.txt", { method: "POST" }, "bob"),
  ).toBe(403);
  expect(await status("/buckets", JSON_ONLY, "bob")).toBe(403);
  expect(await status("/buckets/bobs-own/", { method: "POST" }, "bob")).toBe(403);
  expect(await status("/eve/in.txt", {}, "eve")).toBe(200);
  expect(await status("/eve/in.txt", { method: "PUT", body: "new" }, "eve")).toBe(201);
  expect(await status("/eve/in.txt", { method: "DELETE" }, "eve")).toBe(403);
  expect(await status("/eve/out.txt", {}, "eve")).toBe(403);
  expect(await status("/eve/", JSON_ONLY, "eve")).toBe(403);
  expect(await status("/", {}, "eve")).toBe(403);
  for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"]) {
    expect(await status("/eve/in.txt", { method }, "")).toBe(401);
  }
  expect(await (await ask("/healthz", {}, "")).text()).toBe("ok\n");
});

test("a listing tells tags and metadata of those files alone that its reader may read", async () => {
  const said = { "seaweed-owner": "bob", "x-amz-meta-note": "secret", "content-type": "x/secret" };
  await put("/buckets/photos/a.txt", "a", said);
  await put("/buckets/photos/hidden/f", "x", said);
  await put("/buckets/photos/closed.txt", "x", said);
  const extended = async (path: string, caller: string): Promise<unknown[]> => {
    const listing = await (await ask(path, JSON_ONLY, caller)).json();
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
  await put("/t20/in/f", "x");
  await put("/t20/inner", "x");
  const grant = (prefixes: string[], methods: string[]): string =>
    JSON.stringify({ kind: "path", prefixes, methods });
  expect(await status("/t20/in/f", {}, grant(["/t20/in"], ["GET"]))).toBe(200);
  expect(await status("/t20/in/", JSON_ONLY, grant(["/t20/in/"], ["GET"]))).toBe(200);
  expect(await status("/t20/inner", {}, grant(["/t20/in"], ["GET"]))).toBe(403);
  expect(await status("/t20/in/f", { method: "DELETE" }, grant(["/t20/in"], ["GET"]))).toBe(403);
  expect(await status("/t20/in/f", { method: "PUT", body: "y" }, grant([], ["PUT"]))).toBe(201);
  expect(await status("/buckets/photos/a.txt", {}, grant(["/t20"], []))).toBe(403);
  const mover = grant(["/t20/in"], ["POST"]);
  expect(await status("/t20/in/g?mv.from=/t20/inner", { method: "POST" }, mover)).toBe(403);
  expect(await status("/t20/in/g?mv.from=/t20/in/f", { method: "POST" }, mover)).toBe(403);
  const all = grant(["/t20/in"], ["POST", "GET", "DELETE"]);
  expect(await status("/t20/in/g?mv.from=/t20/in/f", { method: "POST" }, all)).toBe(204);
  expect(await status("/t20/in/g", {}, '{"kind":"needle","fid":"3,01637037d6"}')).toBe(403);
});

test("the page for people escapes every name and runs nothing", async () => {
  const name = `<img src=x onerror=alert(1)>&"'.html`;
  await put(`/t21/${encodeURIComponent(name)}`, "<script>alert(1)</script>");
  await put("/t21/folder/x", "x");
  const page = await ask("/t21/");
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  const html = await page.text();
  expect(html).not.toContain("<img");
  expect(html).not.toContain("<script");
  expect(html).toContain('href="/t21/folder/"');
  expect(html).toContain("&#60;img src=x onerror=alert(1)&#62;&#38;&#34;&#39;.html");
  const read = await ask(`/t21/${encodeURIComponent(name)}`);
  expect(read.headers.get("content-security-policy")).toBe("sandbox");
  const some = await text("/t21/?limit=1");
  expect(some).toContain("lastFileName=");
});
