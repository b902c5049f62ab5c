import { expect, test } from "bun:test";
import { S3Client } from "bun";
import { cpSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@kelp/base/testing";
import { type RunningServer, runCli, runHere, startTestServer } from "./testing/running-server.ts";

// What SeaweedFS clients stored without an entry, and content on several disks, in backups of a real server.

function ask(server: RunningServer, url: string, init: RequestInit = {}): Promise<Response> {
  const { access_key, secret_key } = server.credentials;
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Basic ${btoa(`${access_key}:${secret_key}`)}`);
  return fetch(url, { ...init, headers });
}

function bucketOf(server: RunningServer): S3Client {
  return new S3Client({
    endpoint: server.s3Url,
    bucket: "mlpipeline",
    accessKeyId: server.credentials.access_key,
    secretAccessKey: server.credentials.secret_key,
  });
}

/** Assigned by the master, stored at the volume door; returns the file id. */
async function store(
  server: RunningServer,
  content: string,
  { query = "", name = "a.txt" } = {},
): Promise<string> {
  const assigned = await ask(server, `${server.masterUrl}/dir/assign?${query}`);
  const { fid } = (await assigned.json()) as { fid: string };
  await put(server, fid, content, name);
  return fid;
}

// oxlint-disable-next-line max-params -- as in a request: where, what, under which name
async function put(
  server: RunningServer,
  fid: string,
  content: string,
  name: string,
): Promise<void> {
  const body = new FormData();
  body.append("file", new File([content], name, { type: "text/x-kelp" }));
  const headers = { "Seaweed-Owner": "ada" };
  const stored = await ask(server, `${server.volumeUrl}/${fid}`, { method: "POST", body, headers });
  expect(stored.status).toBe(201);
}

/** Everything that a client sees of a needle. */
async function seen(server: RunningServer, fid: string): Promise<unknown> {
  const answer = await ask(server, `${server.volumeUrl}/${fid}`);
  const headers = ["content-type", "content-disposition", "last-modified", "etag", "owner"];
  return {
    status: answer.status,
    text: await answer.text(),
    headers: Object.fromEntries(headers.map((name) => [name, answer.headers.get(name)])),
  };
}

test("what clients stored through the volume door is backed up beside the server, restored and checked", async () => {
  using folder = temporaryFolder();
  const [data, target] = [join(folder.path, "data"), join(folder.path, "target")];
  const restored = join(folder.path, "again", "data");
  await using server = await startTestServer(folder.path);
  await bucketOf(server).write("entry", "x".repeat(200_000));
  const fids = [
    await store(server, "of a client"),
    await store(server, "of another", { query: "collection=pictures", name: "größe.jpg" }),
    await store(server, "for a while", { query: "ttl=3d" }),
    await store(server, "y".repeat(3_000_000), { query: "collection=pictures" }),
  ];
  const [first = ""] = fids;
  const removed = await store(server, "removed");
  expect((await ask(server, `${server.volumeUrl}/${removed}`, { method: "DELETE" })).status).toBe(
    202,
  );
  const before = await Promise.all(fids.map((fid) => seen(server, fid)));
  const made = await runHere(["backup", target, "--dir", data]);
  expect(made).toMatchObject({ status: 0, stderr: "" });
  expect(made.stdout).toContain("and 4 loose needles");
  await put(server, first, "written again", "b.txt");
  const again = await runHere(["backup", target, "--dir", data, "--json"]);
  expect(JSON.parse(again.stdout)).toMatchObject({ needle_count: 4, copied_needles: 1 });
  const after = await seen(server, first);
  await server.end("SIGTERM");
  // Without a server it is the same state.
  const stopped = await runHere(["backup", target, "--dir", data, "--json"]);
  expect(JSON.parse(stopped.stdout)).toMatchObject({ needle_count: 4, copied_needles: 0 });

  expect(await runHere(["backup", "verify", target])).toMatchObject({ status: 0, stderr: "" });
  expect(await runHere(["restore", target, "--dir", restored])).toMatchObject({
    status: 0,
    stderr: "",
  });
  const checked = await runHere(["fsck", "--dir", restored, "--remove-orphans", "--json"]);
  expect(JSON.parse(checked.stdout)).toMatchObject({ findings: [] });
  await using copy = await startTestServer(join(folder.path, "again"));
  expect(await Promise.all(fids.map((fid) => seen(copy, fid)))).toEqual([
    after,
    ...before.slice(1),
  ]);
  expect(((await seen(copy, removed)) as { status: number }).status).toBe(404);
  expect(await bucketOf(copy).file("entry").text()).toBe("x".repeat(200_000));
  // The collection is there as one, and new needles come under ids of their own.
  const another = await store(copy, "new", { query: "collection=pictures" });
  expect(fids).not.toContain(another);
  const dropped = await ask(copy, `${copy.masterUrl}/col/delete?collection=pictures`);
  expect(dropped.ok).toBe(true);
  const statuses = await Promise.all(fids.map((fid) => seen(copy, fid)));
  expect(statuses.map((each) => (each as { status: number }).status)).toEqual([200, 404, 200, 404]);
}, 60_000);

test("volumes that were taken in from another store's folder are backed up as they are", async () => {
  using folder = temporaryFolder();
  const other = join(folder.path, "other");
  const taken = join(folder.path, "data", "volumes");
  let fid: string;
  let before: unknown;
  {
    await using server = await startTestServer(other);
    fid = await store(server, "from elsewhere");
    before = await seen(server, fid);
    await bucketOf(server).write("entry", "z".repeat(100_000));
    await server.end("SIGTERM");
  }
  mkdirSync(taken, { recursive: true });
  cpSync(join(other, "data", "volumes"), taken, {
    recursive: true,
    filter: (path) => !path.endsWith("lock.db"),
  });
  const target = join(folder.path, "target");
  {
    await using server = await startTestServer(folder.path);
    expect(await seen(server, fid)).toEqual(before);
    // What entries of the other store named is somebody's, too.
    const made = await runHere(["backup", target, "--dir", join(folder.path, "data"), "--json"]);
    expect(JSON.parse(made.stdout)).toMatchObject({ chunk_count: 0, needle_count: 2 });
  }
  const restored = join(folder.path, "again");
  expect((await runHere(["restore", target, "--dir", join(restored, "data")])).status).toBe(0);
  await using copy = await startTestServer(restored);
  expect(await seen(copy, fid)).toEqual(before);
}, 60_000);

test("a stopped folder is backed up from all disks that its server had", async () => {
  using folder = temporaryFolder();
  const [a, b] = [join(folder.path, "a"), join(folder.path, "b")];
  const flags = ["--volume.dir", `${a},${b}`, "--volume.max", "1,0"];
  const [data, target] = [join(folder.path, "data"), join(folder.path, "target")];
  {
    await using server = await startTestServer(folder.path, flags);
    await bucketOf(server).write("entry", "x".repeat(200_000));
    await store(server, "of a client");
    await server.end("SIGTERM");
  }
  const counts = { chunk_count: 1, damaged_count: 0, needle_count: 1, damaged_needle_count: 0 };
  const made = await runHere(["backup", target, "--dir", data, "--json", "--keep", "1"]);
  expect(made).toMatchObject({ status: 0, stderr: "" });
  expect(JSON.parse(made.stdout)).toMatchObject(counts);
  // A disk that is gone: told, the rest is saved, and the older backup stays though only one is to be kept.
  for (const path of [a, b]) renameSync(path, `${path}.gone`);
  const without = await runCli(["backup", target, "--dir", data, "--json", "--keep", "1"]);
  expect(without.status).toBe(1);
  expect(JSON.parse(without.stdout)).toMatchObject({ removed_backups: 0 });
  expect(without.stderr).toContain("no older one was removed");
  const [listed = ""] = (await runHere(["backup", "list", target])).stdout.split("\n");
  expect(listed).toContain("1 chunks and 1 loose needles, store");
  for (const path of [a, b]) renameSync(`${path}.gone`, path);
  const whole = await runHere(["backup", target, "--dir", data, "--json", "--keep", "1"]);
  expect(JSON.parse(whole.stdout)).toMatchObject({
    ...counts,
    copied_chunks: 0,
    removed_backups: 2,
  });
}, 60_000);
