import { afterAll, beforeAll, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { must, silentLog } from "@kelp/base";
import { systemClock, systemHashes, systemTcpNetwork } from "@kelp/base/platform";
import { needleId, parseFid, volumeId } from "@kelp/wire";
import { CALLER_HEADER, believingGate, listAuthorizer } from "@kelp/wire/testing";
import { MemoryNeedles } from "../testing/memory-needles.ts";
import { MemoryVolumes } from "../testing/memory-volumes.ts";
import { type VolumeDoor, openVolumeDoor } from "./volume-door.ts";

const needles = new MemoryNeedles(systemHashes);
let door: VolumeDoor;

beforeAll(async () => {
  door = await openVolumeDoor({
    needles,
    volumes: new MemoryVolumes(),
    disks: {
      disks: () =>
        Promise.resolve([
          {
            folder: "/data/<1>",
            diskType: "ssd",
            state: "ok",
            totalBytes: 1000,
            availableBytes: 250,
            volumeCount: 1,
            volumeCountMax: undefined,
          },
        ]),
    },
    gate: believingGate(),
    authorizer: listAuthorizer("ann seaweed:ReadNeedle arn:kelp:seaweed:::volume/3"),
    clock: systemClock,
    hashes: systemHashes,
    log: silentLog,
    version: "0.0.1",
    startedMs: 0,
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
  });
});

afterAll(async () => {
  await door.stop();
});

function ask(
  path: string,
  init: RequestInit = {},
  caller: string | undefined = "root",
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (caller !== undefined && caller !== "") headers.set(CALLER_HEADER, caller);
  return fetch(`http://127.0.0.1:${door.port}${path}`, { ...init, headers, redirect: "manual" });
}

let lastId = 0x1000;
/** A path that no other test uses. */
function fresh(): string {
  return `3,${(lastId += 16).toString(16)}637037d6`;
}

function form(content: string, name: string, type?: string): FormData {
  const data = new FormData();
  data.append("file", new File([content], name, type === undefined ? {} : { type }));
  return data;
}

async function status(path: string, init?: RequestInit, caller?: string): Promise<number> {
  const response = await ask(path, init, caller);
  await response.arrayBuffer();
  return response.status;
}

test("a raw body is stored, told of, and read back", async () => {
  const path = fresh();
  const written = await ask(`/${path}`, { method: "PUT", body: "hello needle" });
  expect(written.status).toBe(201);
  const etag = Buffer.from(systemHashes.digest("crc32c", Buffer.from("hello needle"))).toString(
    "hex",
  );
  const md5 = Buffer.from(systemHashes.digest("md5", Buffer.from("hello needle"))).toString(
    "base64",
  );
  expect(await written.json()).toMatchObject({ size: 12, eTag: etag, contentMd5: md5 });
  expect(written.headers.get("etag")).toBe(`"${etag}"`);
  expect(written.headers.get("content-md5")).toBe(md5);
  const read = await ask(`/${path}`);
  expect(read.status).toBe(200);
  expect(await read.text()).toBe("hello needle");
  expect(read.headers.get("etag")).toBe(`"${etag}"`);
  expect(read.headers.get("content-security-policy")).toBe("sandbox");
  expect(read.headers.get("x-content-type-options")).toBe("nosniff");
  expect(read.headers.get("last-modified")).not.toBeNull();
});

test("a form gives name and type, and all forms of the path find the needle", async () => {
  const path = fresh();
  const body = form("<svg/>", 'dr\u00e9am "1".svg', "image/svg+xml");
  const written = await ask(`/${path}`, {
    method: "POST",
    body,
    headers: { "Seaweed-Owner": "ann" },
  });
  expect(await written.json()).toMatchObject({ name: 'dr\u00e9am "1".svg', size: 6 });
  const [volume, hex] = path.split(",");
  for (const address of [path, `${volume}/${hex}`, `${path}.svg`, `${volume}/${hex}/other.txt`]) {
    const read = await ask(`/${address}`);
    expect(read.headers.get("content-type")).toBe("image/svg+xml");
    expect(read.headers.get("owner")).toBe("ann");
    expect(read.headers.get("content-disposition")).toBe(
      "inline; filename=\"dr_am _1_.svg\"; filename*=UTF-8''dr%C3%A9am%20%221%22.svg",
    );
    expect(await read.text()).toBe("<svg/>");
  }
  const saved = await ask(`/${path}?dl=true&response-content-type=text/plain`);
  expect(saved.headers.get("content-disposition")).toStartWith("attachment;");
  expect(saved.headers.get("content-type")).toBe("text/plain");
});

test("ranges, one and several, and conditions are honoured", async () => {
  const path = fresh();
  await ask(`/${path}?ts=1700000000`, { method: "POST", body: "0123456789" });
  const one = await ask(`/${path}`, { headers: { range: "bytes=2-4" } });
  expect([one.status, await one.text(), one.headers.get("content-range")]).toEqual([
    206,
    "234",
    "bytes 2-4/10",
  ]);
  const two = await ask(`/${path}`, { headers: { range: "bytes=0-1, -2" } });
  expect(two.status).toBe(206);
  const text = await two.text();
  expect(text).toContain("Content-Range: bytes 0-1/10\r\n\r\n01\r\n");
  expect(text).toContain("Content-Range: bytes 8-9/10\r\n\r\n89\r\n");
  expect(two.headers.get("content-length")).toBe(String(text.length));
  expect(await status(`/${path}`, { headers: { range: "bytes=10-" } })).toBe(416);
  const etag = one.headers.get("etag") ?? "";
  expect(await status(`/${path}`, { headers: { "if-none-match": etag } })).toBe(304);
  expect(await status(`/${path}`, { headers: { "if-match": '"00000000"' } })).toBe(412);
  const date = "Tue, 14 Nov 2023 22:13:20 GMT";
  expect(one.headers.get("last-modified")).toBe(date);
  expect(await status(`/${path}`, { headers: { "if-modified-since": date } })).toBe(304);
  const head = await ask(`/${path}`, { method: "HEAD" });
  expect([head.headers.get("content-length"), await head.text()]).toEqual(["10", ""]);
});

test("the same again is told as unchanged, another cookie is refused", async () => {
  const path = fresh();
  expect(await status(`/${path}`, { method: "PUT", body: "x" })).toBe(201);
  expect(await status(`/${path}`, { method: "PUT", body: "x" })).toBe(204);
  expect(await status(`/${path}`, { method: "PUT", body: "y" })).toBe(201);
  const other = `${path.slice(0, -1)}7`;
  expect(await status(`/${other}`, { method: "PUT", body: "z" })).toBe(409);
  expect(await status(`/${other}`)).toBe(404);
});

test("a deleted needle is gone, unless deleted ones are asked for", async () => {
  const path = fresh();
  await ask(`/${path}`, { method: "PUT", body: "gone" });
  const deleted = await ask(`/${path}`, { method: "DELETE" });
  expect([deleted.status, await deleted.json()]).toEqual([202, { size: 4 }]);
  expect(await status(`/${path}`)).toBe(404);
  const again = await ask(`/${path}`, { method: "DELETE" });
  expect([again.status, await again.json()]).toEqual([404, { size: 0 }]);
  expect(await (await ask(`/${path}?readDeleted=true`)).text()).toBe("gone");
});

test("compressed content is passed on to who takes it, and expanded for others", async () => {
  const path = fresh();
  const content = "squeeze me ".repeat(50);
  const headers = { "content-encoding": "gzip" };
  const written = await ask(`/${path}`, { method: "PUT", body: gzipSync(content), headers });
  expect(await written.json()).toMatchObject({ size: content.length });
  const passed = await ask(`/${path}`, { headers: { "accept-encoding": "br, gzip" } });
  expect(passed.headers.get("content-encoding")).toBe("gzip");
  expect(await passed.text()).toBe(content);
  for (const coding of ["identity", "gzip;q=0"]) {
    const plain = await ask(`/${path}`, { headers: { "accept-encoding": coding } });
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(await plain.text()).toBe(content);
  }
  const range = { range: "bytes=0-6", "accept-encoding": "gzip" };
  expect(await (await ask(`/${path}`, { headers: range })).text()).toBe("squeeze");
  expect(await status(`/${path}`, { method: "PUT", body: "plain", headers })).toBe(400);
});

test("compressed content that could not be read again is refused, as far as it can be told", async () => {
  const path = fresh();
  const headers = { "content-encoding": "gzip" };
  const bomb = gzipSync("x");
  bomb.writeUInt32LE(257 * 1024 * 1024, bomb.length - 4);
  expect(await status(`/${path}`, { method: "PUT", body: bomb, headers })).toBe(413);
  const broken = gzipSync("a body of some length");
  broken.fill(0xff, 12, 16);
  const md5 = Buffer.alloc(16, 1).toString("base64");
  const promised = { ...headers, "content-md5": md5 };
  expect(await status(`/${path}`, { method: "PUT", body: broken, headers: promised })).toBe(400);
  expect(await status(`/${path}`)).toBe(404);
});

test("a wrong Content-MD5 stores nothing", async () => {
  const path = fresh();
  const wrong = Buffer.alloc(16, 1).toString("base64");
  for (const md5 of [wrong, "not base64!"]) {
    const init = { method: "PUT", body: "body", headers: { "content-md5": md5 } };
    expect(await status(`/${path}`, init)).toBe(400);
  }
  expect(await status(`/${path}`)).toBe(404);
});

async function chunked(): Promise<{ readonly path: string; readonly chunks: readonly string[] }> {
  const chunks = [fresh(), fresh()] as const;
  await ask(`/${chunks[0]}`, { method: "PUT", body: "first," });
  await ask(`/${chunks[1]}`, { method: "PUT", body: "second" });
  const manifest = {
    name: "both.txt",
    mime: "text/x-both",
    size: 12,
    chunks: [
      { fid: chunks[1], offset: 6, size: 6 },
      { fid: chunks[0], offset: 0, size: 6 },
    ],
  };
  const path = fresh();
  expect(await status(`/${path}?cm=true`, { method: "POST", body: JSON.stringify(manifest) })).toBe(
    201,
  );
  return { path, chunks };
}

test("a manifest is resolved, in any range, and as it is when asked for", async () => {
  const { path } = await chunked();
  const read = await ask(`/${path}`);
  expect(await read.text()).toBe("first,second");
  expect(read.headers.get("x-file-store")).toBe("chunked");
  expect(read.headers.get("content-type")).toBe("text/x-both");
  expect(read.headers.get("content-disposition")).toBe('inline; filename="both.txt"');
  const part = await ask(`/${path}`, { headers: { range: "bytes=4-8" } });
  expect(await part.text()).toBe("t,sec");
  expect(await (await ask(`/${path}?cm=false`)).json()).toMatchObject({ name: "both.txt" });
});

test("a manifest cannot make an answer's headers as long as itself", async () => {
  const path = fresh();
  const long = "n".repeat(1_000_000);
  const manifest = JSON.stringify({ name: long, mime: long, size: 0, chunks: [] });
  expect(await status(`/${path}?cm=true`, { method: "POST", body: manifest })).toBe(201);
  const read = await ask(`/${path}`);
  expect([read.status, read.headers.get("content-disposition")]).toEqual([200, null]);
  expect(read.headers.get("content-type")).toBe("application/octet-stream");
});

test("deleting a manifest deletes its chunks", async () => {
  const { path, chunks } = await chunked();
  const deleted = await ask(`/${path}`, { method: "DELETE" });
  expect([deleted.status, await deleted.json()]).toEqual([202, { size: 12 }]);
  for (const chunk of chunks) expect(await status(`/${chunk}`)).toBe(404);
});

test("an absent chunk is a failure, never a shorter file", async () => {
  const { path, chunks } = await chunked();
  await ask(`/${chunks[0]}`, { method: "DELETE" });
  expect(await status(`/${path}`)).toBe(500);
});

test.each([
  ["no JSON", "{"],
  ["a gap", '{"size":2,"chunks":[{"fid":"3,01637037d6","offset":1,"size":1}]}'],
  ["another size", '{"size":2,"chunks":[{"fid":"3,01637037d6","offset":0,"size":1}]}'],
  ["a broken fid", '{"size":1,"chunks":[{"fid":"3","offset":0,"size":1}]}'],
  ["a negative size", '{"size":-1,"chunks":[{"fid":"3,01637037d6","offset":0,"size":-1}]}'],
])("a manifest with %s is refused", async (_, body) => {
  expect(await status(`/${fresh()}?cm=true`, { method: "POST", body })).toBe(400);
});

test("a manifest cannot name itself, whatever the letter case of its file id", async () => {
  const path = fresh();
  for (const fid of [path, path.toUpperCase()]) {
    const body = JSON.stringify({ size: 1, chunks: [{ fid, offset: 0, size: 1 }] });
    expect(await status(`/${path}?cm=true`, { method: "POST", body })).toBe(400);
  }
  expect(await status(`/${path}?cm=false`)).toBe(404);
});

test("damage is a failure of the server, never an absent file", async () => {
  const path = fresh();
  await ask(`/${path}`, { method: "PUT", body: "x" });
  needles.corrupt.add(`3,${BigInt(`0x${path.slice(2, -8)}`)}`);
  expect(await status(`/${path}`)).toBe(500);
});

test("what is no file id, volume or method of this door is told so", async () => {
  for (const path of [
    "/3,1",
    "/0,01637037d6",
    "/x",
    "/3,00637037d6",
    "/3,01637037d6/a/b",
    "/../3",
  ]) {
    expect(await status(path)).toBe(404);
  }
  expect(await status("/77,01637037d6")).toBe(404);
  expect(await status(`/${fresh()}`, { method: "PATCH" })).toBe(405);
  expect(await status(`/${fresh()}?ttl=forever`, { method: "PUT", body: "x" })).toBe(400);
  expect(await status(`/${fresh()}?ts=yesterday`, { method: "PUT", body: "x" })).toBe(400);
  expect(await status(`/${fresh()}?width=100`)).toBe(501);
});

test("names and values that would break an answer are not kept, or not sent", async () => {
  const path = fresh();
  await ask(`/${path}`, { method: "PUT", body: "x" });
  expect(await status(`/${path}?response-content-type=a%0d%0ab`)).toBe(400);
  await needles.writeNeedle({ volumeId: 3, needleId: 0x999n, cookie: 1 } as never, {
    data: Buffer.from("foreign"),
    mediaType: "a\r\nX-Evil: 1",
    pairs: {
      "Set-Cookie": "a=b",
      Bad: "a\r\nb",
      "Not a name": "x",
      Good: "c",
      "Seaweed-Early": "d",
    },
  });
  const read = await ask("/3,099900000001");
  expect(read.headers.get("content-type")).toBe("application/octet-stream");
  expect(read.headers.get("set-cookie")).toBeNull();
  expect(read.headers.get("seaweed-set-cookie")).toBe("a=b");
  expect([read.headers.get("bad"), read.headers.get("seaweed-bad")]).toEqual([null, null]);
  expect(read.headers.get("good")).toBe("c");
  expect(read.headers.get("seaweed-early")).toBe("d");
});

test("pairs are stored without their prefix, and what has a meaning in an answer keeps it there", async () => {
  const path = fresh();
  const meaningful = [
    "Access-Control-Allow-Origin",
    "Cache-Control",
    "Content-Length",
    "Content-Security-Policy",
    "ETag",
    "Location",
    "Refresh",
    "Server",
    "Service-Worker-Allowed",
    "Set-Cookie",
    "Transfer-Encoding",
    "X-Content-Type-Options",
  ];
  const headers = Object.fromEntries(meaningful.map((name) => [`Seaweed-${name}`, "evil"]));
  await ask(`/${path}`, {
    method: "PUT",
    body: "x",
    headers: { ...headers, "Seaweed-cost-centre": "7" },
  });
  const stored = await needles.readNeedle(must(parseFid(path)));
  expect(Object.keys(stored?.pairs ?? {})).toContain("Cost-Centre");
  const read = await ask(`/${path}`);
  expect(read.headers.get("cost-centre")).toBe("7");
  expect(await read.text()).toBe("x");
  for (const name of meaningful) {
    expect(read.headers.get(name)).not.toBe("evil");
    expect(read.headers.get(`seaweed-${name}`)).toBe("evil");
  }
  expect(
    await status(`/${fresh()}`, { method: "PUT", body: "x", headers: { "Seaweed-": "v" } }),
  ).toBe(400);
});

function grant(fid: string, count?: number): string {
  return JSON.stringify({ kind: "needle", fid, ...(count !== undefined && { count }) });
}

test("a token opens its own needle, and the ids that were assigned with it", async () => {
  const path = fresh();
  const put = { method: "PUT", body: "x" };
  expect(await status(`/${path}`, put, grant(path, 2))).toBe(201);
  expect(await status(`/${path}`, {}, grant(path, 2))).toBe(200);
  expect(await status(`/${path.replace(",", "/")}`, {}, grant(path, 2))).toBe(200);
  expect(await status(`/${path}_1`, put, grant(path, 2))).toBe(201);
  expect(await status(`/${path}_2`, put, grant(path, 2))).toBe(401);
  expect(await status(`/${path}_2`, put, grant(path))).toBe(201);
  expect(await status(`/${fresh()}`, put, grant(path, 100))).toBe(401);
  expect(await status(`/${path}`, {}, grant("nonsense"))).toBe(401);
  expect(await status(`/${path}`, {}, '{"kind":"path","prefixes":[],"methods":[]}')).toBe(401);
  const manifest = '{"size":0,"chunks":[]}';
  expect(await status(`/${path}?cm=true`, { method: "PUT", body: manifest }, grant(path, 1))).toBe(
    403,
  );
});

test("nobody gets in without credentials, and everybody only as far as allowed", async () => {
  const path = fresh();
  await ask(`/${path}`, { method: "PUT", body: "x" });
  for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"]) {
    expect(await status(`/${path}`, { method }, "")).toBe(401);
  }
  for (const page of ["/status", "/ui/index.html", "/"])
    expect(await status(page, {}, "")).toBe(401);
  expect(await status(`/${path}`, {}, "ann")).toBe(200);
  expect(await status(`/${path}`, { method: "DELETE" }, "ann")).toBe(403);
  expect(await status(`/${path}`, { method: "PUT", body: "y" }, "ann")).toBe(403);
  expect(await status("/status", {}, "ann")).toBe(403);
  expect(await status(`/${path}`, {}, "bob")).toBe(403);
  expect(await (await ask("/healthz", {}, "")).text()).toBe("ok\n");
});

test("the status has the names of SeaweedFS, and the page escapes what it shows", async () => {
  const told = await (await ask("/status?pretty=y")).json();
  expect(told).toEqual({
    Version: "0.0.1",
    DiskStatuses: [
      {
        dir: "/data/<1>",
        all: 1000,
        used: 750,
        free: 250,
        percent_free: 25,
        percent_used: 75,
        disk_type: "ssd",
      },
    ],
    Volumes: [],
  });
  const page = await ask("/ui/index.html");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await page.text()).toContain("/data/&#60;1&#62;");
});

test("needles in volumes of the filer are read, and neither written nor deleted", async () => {
  needles.collections.set(7, "kelp-filer-0190a5c27b1e4c3d");
  const [path, other] = ["7,01637037d6", fresh()];
  const fid = { volumeId: volumeId(7), needleId: needleId(1n), cookie: 0x637037d6 };
  await needles.writeNeedle(fid, { data: Buffer.from("an entry's") });
  expect(await status(`/${path}`)).toBe(200);
  expect(await status(`/${path}`, { method: "PUT", body: "x" })).toBe(403);
  expect(await status(`/${path}`, { method: "DELETE" })).toBe(403);
  const manifest = { name: "m", size: 10, chunks: [{ fid: path, offset: 0, size: 10 }] };
  const body = JSON.stringify(manifest);
  expect(await status(`/${other}?cm=true`, { method: "PUT", body })).toBe(403);
  expect(await (await ask(`/${path}`)).text()).toBe("an entry's");
});
