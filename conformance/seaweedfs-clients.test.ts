import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WeedClient from "node-seaweedfs";
import { KelpServer } from "./harness/kelp-server.ts";
import { PYTHON, mustRun, pythonScript } from "./harness/programs.ts";
import { signHeaders } from "./harness/signed-request.ts";

/** Programs and libraries made for SeaweedFS against the doors of master, volumes and filer. */

const TEST_MS_MAX = 60_000;
let server: KelpServer;
let folder: string;

beforeAll(async () => {
  server = await KelpServer.start();
  folder = mkdtempSync(join(tmpdir(), "kelp-weed-"));
}, TEST_MS_MAX);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server[Symbol.asyncDispose]();
});

function curl(...args: readonly string[]): Promise<string> {
  return mustRun("curl", ["--silent", "--show-error", ...args]);
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test("curl assigns, uploads by form, reads, looks up and deletes", async () => {
  const path = file("one.txt", "by curl");
  const assigned = JSON.parse(await curl(`${server.masterUrl}/dir/assign`));
  expect(Object.keys(assigned)).toEqual(["fid", "url", "publicUrl", "count"]);
  const url = `http://${assigned.publicUrl}/${assigned.fid}`;
  const told = JSON.parse(await curl("-F", `file=@${path}`, url));
  expect(told).toMatchObject({ name: "one.txt", size: 7 });
  expect(told.eTag).toMatch(/^[0-9a-f]{8}$/);
  expect(await curl(url)).toBe("by curl");
  expect(await curl("-r", "3-", url)).toBe("curl");
  const [volume] = String(assigned.fid).split(",");
  const lookup = JSON.parse(await curl(`${server.masterUrl}/dir/lookup?volumeId=${volume}`));
  expect(lookup.locations[0].publicUrl).toBe(assigned.publicUrl);
  expect(await curl("-L", `${server.masterUrl}/${assigned.fid}`)).toBe("by curl");
  expect(JSON.parse(await curl("-X", "DELETE", url))).toEqual({ size: 7 });
  expect(await curl("-o", "/dev/null", "-w", "%{http_code}", url)).toBe("404");
});

test("curl submits a file in one call", async () => {
  const path = file("two.txt", "submitted");
  const told = JSON.parse(await curl("-F", `file=@${path}`, `${server.masterUrl}/submit`));
  expect(told).toMatchObject({ fileName: "two.txt", size: 9 });
  expect(await curl(`http://${told.fileUrl}`)).toBe("submitted");
});

test("curl works with files and folders of the filer", async () => {
  const large = file("large.bin", randomBytes(5_000_000));
  const filer = server.filerUrl;
  expect(JSON.parse(await curl("-F", `file=@${large}`, `${filer}/data/`))).toEqual({
    name: "large.bin",
    size: 5_000_000,
  });
  const read = join(folder, "read.bin");
  await curl("-o", read, `${filer}/data/large.bin`);
  expect(Buffer.compare(readFileSync(read), readFileSync(large))).toBe(0);
  await curl("-T", large, `${filer}/data/put.bin`);
  await curl("-X", "POST", `${filer}/data/moved.bin?mv.from=/data/put.bin`);
  const listing = JSON.parse(await curl("-H", "Accept: application/json", `${filer}/data/`));
  expect(listing.Entries.map((entry: { FullPath: string }) => entry.FullPath)).toEqual([
    "/data/large.bin",
    "/data/moved.bin",
  ]);
  await curl("-X", "DELETE", `${filer}/data?recursive=true`);
  expect(await curl("-o", "/dev/null", "-w", "%{http_code}", `${filer}/data/`)).toBe("404");
});

test("an object put through one door reads right through the other", async () => {
  await s3("PUT", "/shared");
  const path = file("three.json", '{"a":1}');
  const url = `${server.filerUrl}/buckets/shared/by-filer.json`;
  await curl("-F", `file=@${path};type=application/json`, "-H", "x-amz-meta-who: curl", url);
  const object = await s3("GET", "/shared/by-filer.json");
  expect(object.status).toBe(200);
  expect(object.headers.get("content-type")).toBe("application/json");
  expect(object.headers.get("x-amz-meta-who")).toBe("curl");
  expect(await object.text()).toBe('{"a":1}');
  const put = await s3("PUT", "/shared/by-s3", "s3", { "content-type": "text/x-s3" });
  const read = await fetch(`${server.filerUrl}/buckets/shared/by-s3`);
  expect(read.headers.get("content-type")).toBe("text/x-s3");
  expect(read.headers.get("etag")).toBe(put.headers.get("etag"));
  expect(await read.text()).toBe("s3");
});

test("an object with a checksum that grows by the filer is told without it", async () => {
  await s3("PUT", "/grown");
  const crc32 = "emyG8Q==";
  const told = { "x-amz-checksum-mode": "ENABLED" };
  const put = await s3("PUT", "/grown/log", "one", { "x-amz-checksum-crc32": crc32 });
  expect(put.status).toBe(200);
  const before = await s3("HEAD", "/grown/log", undefined, told);
  expect(before.headers.get("x-amz-checksum-crc32")).toBe(crc32);
  await fetch(`${server.filerUrl}/buckets/grown/log?op=append`, { method: "POST", body: ",two" });
  const object = await s3("GET", "/grown/log", undefined, told);
  expect(object.headers.get("x-amz-checksum-crc32")).toBeNull();
  expect(await object.text()).toBe("one,two");
});

function s3(
  method: string,
  path: string,
  body?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const { access_key: id, secret_key: secret } = server.credentials;
  const request = { method, path, headers, ...(body !== undefined && { body }) };
  const signed = signHeaders(request, { id, secret }, new URL(server.s3Url).host);
  return fetch(server.s3Url + path, { ...request, headers: signed });
}

test.skipIf(PYTHON === undefined)("pyseaweed does all that it can do", async () => {
  const env = { KELP_MASTER_URL: server.masterUrl };
  const output = await mustRun(String(PYTHON), [pythonScript("seaweedfs_client.py")], { env });
  expect(JSON.parse(output)).toEqual({ ok: true });
});

test("node-seaweedfs writes several files under one assignment, finds, reads and removes them", async () => {
  const { hostname, port } = new URL(server.masterUrl);
  const client = new WeedClient({ server: hostname, port: Number(port) });
  const written = await client.write([file("a.txt", "first"), file("b.txt", "second")]);
  expect(written.count).toBe(2);
  expect(String(await client.read(written.fid))).toBe("first");
  expect(String(await client.read(`${written.fid}_1`))).toBe("second");
  const [volume = ""] = written.fid.split(",");
  expect((await client.find(volume)).locations.length).toBe(1);
  expect((await client.clusterStatus()).IsLeader).toBe(true);
  expect((await client.systemStatus()).Topology.DataCenters.length).toBe(1);
  expect(
    (await client.volumeStatus(new URL(server.volumeUrl).host)).Volumes.length,
  ).toBeGreaterThan(0);
  await client.remove(written.fid);
  expect(await client.read(written.fid).then(String, () => "absent")).not.toContain("first");
});

// ---- closed to those who have nothing to show

test("without trust in the local user every door asks for credentials, and takes each kind", async () => {
  await using strict = await KelpServer.start({ flags: ["--auth.local-user", "off"] });
  const { access_key: id, secret_key: secret, console_token: token } = strict.credentials;
  const status = async (url: string, init: RequestInit = {}): Promise<number> => {
    const response = await fetch(url, { redirect: "manual", ...init });
    await response.arrayBuffer();
    return response.status;
  };
  const basic = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` };
  const pages = ["/dir/status", "/dir/assign", "/"].map((path) => strict.masterUrl + path);
  pages.push(`${strict.volumeUrl}/status`, `${strict.filerUrl}/`);
  for (const page of pages) {
    expect(await status(page)).toBe(401);
    expect(await status(page, { headers: { authorization: "Basic eDp5" } })).toBe(401);
    expect(await status(page, { headers: basic })).toBe(200);
    expect(await status(page, { headers: { authorization: `Bearer ${token}` } })).toBe(200);
  }
  for (const url of [strict.masterUrl, strict.volumeUrl, strict.filerUrl]) {
    expect(await (await fetch(`${url}/healthz`)).text()).toBe("ok\n");
  }
  const assigned = await fetch(`${strict.masterUrl}/dir/assign`, { headers: basic });
  const { fid }: { fid: string } = (await assigned.json()) as never;
  const authorization = assigned.headers.get("authorization") ?? "";
  const put = { method: "PUT", body: "by token", headers: { authorization } };
  expect(await status(`${strict.volumeUrl}/${fid}`, put)).toBe(201);
  expect(await status(`${strict.volumeUrl}/${fid}`, { headers: { authorization } })).toBe(401);
  expect(await status(`${strict.volumeUrl}/${fid.replace(/.$/, "z")}`, put)).toBe(404);
  const other: { fid: string } = (await (
    await fetch(`${strict.masterUrl}/dir/assign`, { headers: basic })
  ).json()) as never;
  expect(await status(`${strict.volumeUrl}/${other.fid}`, put)).toBe(401);
  const lookup = `${strict.masterUrl}/dir/lookup?fileId=${fid}&read=yes`;
  const read = (await fetch(lookup, { headers: basic })).headers.get("authorization") ?? "";
  const jwt = read.replace("Bearer ", "");
  expect(await (await fetch(`${strict.volumeUrl}/${fid}?jwt=${jwt}`)).text()).toBe("by token");
  expect(
    await (await fetch(`${strict.volumeUrl}/${fid}`, { headers: { cookie: `AT=${jwt}` } })).text(),
  ).toBe("by token");
});

test("signing keys that are given are those that tokens of others are checked with", async () => {
  const key = "a-key-of-the-operator";
  await using strict = await KelpServer.start({
    flags: ["--auth.local-user", "off"],
    env: { KELP_JWT_FILER_SIGNING_KEY: key },
  });
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({
    allowed_prefixes: ["/in"],
    allowed_methods: ["PUT"],
    exp: Math.floor(Date.now() / 1000) + 60,
  })}`;
  const token = `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
  const init = { method: "PUT", body: "x", headers: { authorization: `Bearer ${token}` } };
  expect((await fetch(`${strict.filerUrl}/in/f`, init)).status).toBe(201);
  expect((await fetch(`${strict.filerUrl}/out/f`, init)).status).toBe(403);
  expect((await fetch(`${strict.filerUrl}/in/f`, { headers: init.headers })).status).toBe(401);
});
