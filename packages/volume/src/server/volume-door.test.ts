import { afterAll, beforeAll, expect, test } from "bun:test";
import { systemHashes } from "@kelp/base/platform";
import { needleId, volumeId } from "@kelp/wire";
import { type VolumeDoorWorld, openVolumeDoorWorld } from "../testing/volume-door-world.ts";

let door: VolumeDoorWorld;

beforeAll(async () => {
  door = await openVolumeDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

function form(content: string, name: string, type?: string): FormData {
  const data = new FormData();
  data.append("file", new File([content], name, type === undefined ? {} : { type }));
  return data;
}

test("a raw body is stored, told of, and read back", async () => {
  const path = door.fresh();
  const written = await door.ask(`/${path}`, { method: "PUT", body: "hello needle" });
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
  const read = await door.ask(`/${path}`);
  expect(read.status).toBe(200);
  expect(await read.text()).toBe("hello needle");
  expect(read.headers.get("etag")).toBe(`"${etag}"`);
  expect(read.headers.get("content-security-policy")).toBe("sandbox");
  expect(read.headers.get("x-content-type-options")).toBe("nosniff");
  expect(read.headers.get("last-modified")).not.toBeNull();
});

test("a form gives name and type, and all forms of the path find the needle", async () => {
  const path = door.fresh();
  const body = form("<svg/>", 'dr\u00e9am "1".svg', "image/svg+xml");
  const written = await door.ask(`/${path}`, {
    method: "POST",
    body,
    headers: { "Seaweed-Owner": "ann" },
  });
  expect(await written.json()).toMatchObject({ name: 'dr\u00e9am "1".svg', size: 6 });
  const [volume, hex] = path.split(",");
  for (const address of [path, `${volume}/${hex}`, `${path}.svg`, `${volume}/${hex}/other.txt`]) {
    const read = await door.ask(`/${address}`);
    expect(read.headers.get("content-type")).toBe("image/svg+xml");
    expect(read.headers.get("owner")).toBe("ann");
    expect(read.headers.get("content-disposition")).toBe(
      "inline; filename=\"dr_am _1_.svg\"; filename*=UTF-8''dr%C3%A9am%20%221%22.svg",
    );
    expect(await read.text()).toBe("<svg/>");
  }
  const saved = await door.ask(`/${path}?dl=true&response-content-type=text/plain`);
  expect(saved.headers.get("content-disposition")).toStartWith("attachment;");
  expect(saved.headers.get("content-type")).toBe("text/plain");
});

test("ranges, one and several, and conditions are honoured", async () => {
  const path = door.fresh();
  await door.ask(`/${path}?ts=1700000000`, { method: "POST", body: "0123456789" });
  const one = await door.ask(`/${path}`, { headers: { range: "bytes=2-4" } });
  expect([one.status, await one.text(), one.headers.get("content-range")]).toEqual([
    206,
    "234",
    "bytes 2-4/10",
  ]);
  const two = await door.ask(`/${path}`, { headers: { range: "bytes=0-1, -2" } });
  expect(two.status).toBe(206);
  const text = await two.text();
  expect(text).toContain("Content-Range: bytes 0-1/10\r\n\r\n01\r\n");
  expect(text).toContain("Content-Range: bytes 8-9/10\r\n\r\n89\r\n");
  expect(two.headers.get("content-length")).toBe(String(text.length));
  expect(await door.status(`/${path}`, { headers: { range: "bytes=10-" } })).toBe(416);
  const etag = one.headers.get("etag") ?? "";
  expect(await door.status(`/${path}`, { headers: { "if-none-match": etag } })).toBe(304);
  expect(await door.status(`/${path}`, { headers: { "if-match": '"00000000"' } })).toBe(412);
  const date = "Tue, 14 Nov 2023 22:13:20 GMT";
  expect(one.headers.get("last-modified")).toBe(date);
  expect(await door.status(`/${path}`, { headers: { "if-modified-since": date } })).toBe(304);
  const head = await door.ask(`/${path}`, { method: "HEAD" });
  expect([head.headers.get("content-length"), await head.text()]).toEqual(["10", ""]);
});

test("the same again is told as unchanged, another cookie is refused", async () => {
  const path = door.fresh();
  expect(await door.status(`/${path}`, { method: "PUT", body: "x" })).toBe(201);
  expect(await door.status(`/${path}`, { method: "PUT", body: "x" })).toBe(204);
  expect(await door.status(`/${path}`, { method: "PUT", body: "y" })).toBe(201);
  const other = `${path.slice(0, -1)}7`;
  expect(await door.status(`/${other}`, { method: "PUT", body: "z" })).toBe(409);
  expect(await door.status(`/${other}`)).toBe(404);
});

test("a deleted needle is gone, unless deleted ones are asked for", async () => {
  const path = door.fresh();
  await door.ask(`/${path}`, { method: "PUT", body: "gone" });
  const deleted = await door.ask(`/${path}`, { method: "DELETE" });
  expect([deleted.status, await deleted.json()]).toEqual([202, { size: 4 }]);
  expect(await door.status(`/${path}`)).toBe(404);
  const again = await door.ask(`/${path}`, { method: "DELETE" });
  expect([again.status, await again.json()]).toEqual([404, { size: 0 }]);
  expect(await (await door.ask(`/${path}?readDeleted=true`)).text()).toBe("gone");
});

test("a wrong Content-MD5 stores nothing", async () => {
  const path = door.fresh();
  const wrong = Buffer.alloc(16, 1).toString("base64");
  for (const md5 of [wrong, "not base64!"]) {
    const init = { method: "PUT", body: "body", headers: { "content-md5": md5 } };
    expect(await door.status(`/${path}`, init)).toBe(400);
  }
  expect(await door.status(`/${path}`)).toBe(404);
});

test("damage is a failure of the server, never an absent file", async () => {
  const path = door.fresh();
  await door.ask(`/${path}`, { method: "PUT", body: "x" });
  door.needles.corrupt.add(`3,${BigInt(`0x${path.slice(2, -8)}`)}`);
  expect(await door.status(`/${path}`)).toBe(500);
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
    expect(await door.status(path)).toBe(404);
  }
  expect(await door.status("/77,01637037d6")).toBe(404);
  expect(await door.status(`/${door.fresh()}`, { method: "PATCH" })).toBe(405);
  expect(await door.status(`/${door.fresh()}?ttl=forever`, { method: "PUT", body: "x" })).toBe(400);
  expect(await door.status(`/${door.fresh()}?ts=yesterday`, { method: "PUT", body: "x" })).toBe(
    400,
  );
  expect(await door.status(`/${door.fresh()}?width=100`)).toBe(501);
});

test("the status has the names of SeaweedFS, and the page escapes what it shows", async () => {
  const told = await (await door.ask("/status?pretty=y")).json();
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
  const page = await door.ask("/ui/index.html");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await page.text()).toContain("/data/&#60;1&#62;");
});

test("needles in volumes of the filer are read, and neither written nor deleted", async () => {
  door.needles.collections.set(7, "kelp-filer-0190a5c27b1e4c3d");
  const [path, other] = ["7,01637037d6", door.fresh()];
  const fid = { volumeId: volumeId(7), needleId: needleId(1n), cookie: 0x637037d6 };
  await door.needles.writeNeedle(fid, { data: Buffer.from("an entry's") });
  expect(await door.status(`/${path}`)).toBe(200);
  expect(await door.status(`/${path}`, { method: "PUT", body: "x" })).toBe(403);
  expect(await door.status(`/${path}`, { method: "DELETE" })).toBe(403);
  const manifest = { name: "m", size: 10, chunks: [{ fid: path, offset: 0, size: 10 }] };
  const body = JSON.stringify(manifest);
  expect(await door.status(`/${other}?cm=true`, { method: "PUT", body })).toBe(403);
  expect(await (await door.ask(`/${path}`)).text()).toBe("an entry's");
});
