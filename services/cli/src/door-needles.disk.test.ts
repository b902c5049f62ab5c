import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@kelp/base/testing";
import { type RunningServer, runCli, startTestServer } from "./testing/running-server.ts";

function ask(server: RunningServer, url: string, init: RequestInit = {}): Promise<Response> {
  const { access_key, secret_key } = server.credentials;
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Basic ${btoa(`${access_key}:${secret_key}`)}`);
  return fetch(url, { ...init, headers });
}

/** What a client of the volume door stores without a word on the collection; its file id. */
async function submit(server: RunningServer, content: string): Promise<string> {
  const data = new FormData();
  data.append("file", new File([content], "a.txt"));
  const url = `${server.masterUrl}/submit`;
  const response = await ask(server, url, { method: "POST", body: data });
  expect(response.status).toBe(201);
  const body = (await response.json()) as { fid: string };
  return body.fid;
}

function s3Of(server: RunningServer): Bun.S3Client {
  const { access_key, secret_key } = server.credentials;
  return new Bun.S3Client({
    accessKeyId: access_key,
    secretAccessKey: secret_key,
    endpoint: server.s3Url,
    bucket: "mlpipeline",
  });
}

test("needles that clients stored through the volume door are not taken for what crashes left", async () => {
  using folder = temporaryFolder();
  const dir = join(folder.path, "data");
  let fid: string;
  {
    await using server = await startTestServer(folder.path);
    await s3Of(server).write("big", Buffer.alloc(3_000_000, "kelp"));
    fid = await submit(server, "of a client");
    await server.end("SIGTERM");
  }
  const checked = await runCli(["fsck", "--dir", dir, "--remove-orphans", "--json"]);
  expect(checked.status).toBe(0);
  expect(JSON.parse(checked.stdout)).toMatchObject({ findings: [] });
  await using server = await startTestServer(folder.path);
  const read = await ask(server, `${server.volumeUrl}/${fid}`);
  expect([read.status, await read.text()]).toEqual([200, "of a client"]);
  expect((await s3Of(server).file("big").arrayBuffer()).byteLength).toBe(3_000_000);
});

test("the volumes of entries are the filer's: the doors neither fill nor change nor delete them", async () => {
  using folder = temporaryFolder();
  await using server = await startTestServer(folder.path);
  await s3Of(server).write("big", Buffer.alloc(3_000_000, "kelp"));
  const [file = ""] = readdirSync(join(folder.path, "data/volumes")).filter((name) =>
    name.endsWith(".dat"),
  );
  const [, collection = "", id = ""] = /^(.+)_(\d+)\.dat$/.exec(file) ?? [];
  expect(collection).toStartWith("kelp-filer-");

  const status = async (url: string, method = "GET"): Promise<number> => {
    const body = method === "PUT" ? "x" : undefined;
    const response = await ask(server, url, { method, ...(body !== undefined && { body }) });
    await response.arrayBuffer();
    return response.status;
  };
  expect(await status(`${server.masterUrl}/dir/assign?collection=${collection}`)).toBe(403);
  expect(await status(`${server.masterUrl}/vol/grow?count=1&collection=${collection}`)).toBe(403);
  expect(await status(`${server.masterUrl}/col/delete?collection=${collection}`)).toBe(403);
  expect(await status(`${server.volumeUrl}/${id},0163703700`, "PUT")).toBe(403);
  expect(await status(`${server.volumeUrl}/${id},0163703700`, "DELETE")).toBe(403);
  expect(await status(`${server.volumeUrl}/${id},0163703700`)).toBe(404);
  expect((await s3Of(server).file("big").arrayBuffer()).byteLength).toBe(3_000_000);
});
