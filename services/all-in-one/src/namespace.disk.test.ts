import { afterEach, beforeEach, expect, test } from "bun:test";
import { S3Client } from "bun";
import { join } from "node:path";
import { must, silentLog } from "@kelp/base";
import { temporaryFolder } from "@kelp/base/testing";
import { type Shell, ShellError, openShell } from "@kelp/shell";
import { checkFolder } from "./check/check-folder.ts";
import { type OpenedServer, openTestServer } from "./testing/opened-server.ts";

type Keys = OpenedServer["root"];

let folder: ReturnType<typeof temporaryFolder>;
let dir: string;
let server: OpenedServer;
let shell: Shell;

beforeEach(async () => {
  folder = temporaryFolder();
  dir = join(folder.path, "data");
  await start();
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function start(): Promise<void> {
  server = await openTestServer(dir);
  shell = openShell({ baseUrl: server.consoleUrl, token: server.token });
}

function s3Of(bucket: string, keys: Keys = server.root): S3Client {
  return new S3Client({ endpoint: server.s3Url, bucket, ...keys });
}

/** Keys and content by way of S3. */
async function contentOf(bucket: string): Promise<Map<string, string>> {
  const client = s3Of(bucket);
  const page = await client.list({ maxKeys: 1000 });
  const found = new Map<string, string>();
  for (const { key } of page.contents ?? []) found.set(key, await hashAt(client, key));
  return found;
}

async function hashAt(client: S3Client, key: string): Promise<string> {
  return hashOf(await client.file(key).bytes());
}

function hashOf(bytes: Uint8Array): string {
  return `${bytes.length} ${Bun.hash(bytes)}`;
}

/** From bytes inside the entry up to more than one chunk. */
async function fill(bucket: string): Promise<Map<string, string>> {
  const client = s3Of(bucket);
  const sizes = [0, 1, 300, 70_000, 300_000];
  const written = new Map<string, string>();
  const put = async (key: string, sizeBytes: number): Promise<void> => {
    const bytes = new Uint8Array(sizeBytes);
    for (let at = 0; at < sizeBytes; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    await client.write(key, bytes);
    written.set(key, hashOf(bytes));
  };
  for (const [index, size] of sizes.entries()) {
    await put(`a/${index}`, size);
    await put(`b/${index} & ü`, size);
  }
  await put("large", 9_000_000);
  return written;
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ShellError) return error.code;
    if (error instanceof Error && "code" in error) return String(error.code);
    throw error;
  }
  return "accepted";
}

async function collectAll(): Promise<void> {
  while ((await server.store.filer.collect({ graceMs: 0 })).hasMore);
}

async function volumeBytes(): Promise<{ readonly files: number; readonly live: number }> {
  const { volumes } = await server.store.master.status();
  return {
    files: volumes.reduce((sum, volume) => sum + volume.sizeBytes, 0),
    live: volumes.reduce((sum, volume) => sum + volume.liveBytes, 0),
  };
}

/** Stops the server, and compares all that it left on disk. */
async function findings(): Promise<string[]> {
  await server[Symbol.asyncDispose]();
  const found: string[] = [];
  await checkFolder(dir, {
    orphans: "report",
    indexes: "keep",
    onFinding: ({ text }) => found.push(text),
    log: silentLog,
  });
  return found;
}

test("a snapshot and its copy keep what the bucket loses, and -force gives all of it back", async () => {
  await shell.run("s3.bucket.create -name data");
  const before = await fill("data");
  await shell.run("snapshot.create -bucket=data -name=s1");

  const data = s3Of("data");
  await data.write("a/3", "overwritten");
  await data.write("later", "x".repeat(50_000));
  await data.delete("large");
  await shell.run("fs.rm -r /buckets/data/b");
  expect(await shell.run("fs.ls /buckets/data")).toBe("a/\nlater\n");
  expect(await shell.run("fs.ls /buckets/data@s1")).toBe("a/\nb/\nlarge\n");

  expect(await shell.run("bucket.clone -from=data@s1 -to=copy")).toContain(
    `objects:${before.size}`,
  );
  expect(await contentOf("copy")).toEqual(before);
  const pieces: Uint8Array[] = [];
  await shell.execute("fs.cat /buckets/data@s1/large", {
    write: async (piece) => void pieces.push(Buffer.from(piece)),
  });
  expect(hashOf(Buffer.concat(pieces))).toBe(must(before.get("large")));

  // The two go their own ways, and what was freed by one is still there for the other.
  const after = await contentOf("data");
  await s3Of("copy").write("a/2", "the copy's");
  await s3Of("copy").delete("a/4");
  expect(await contentOf("data")).toEqual(after);
  await collectAll();
  expect(await hashAt(s3Of("copy"), "large")).toBe(must(before.get("large")));

  expect(await refusalOf(shell.run("s3.bucket.delete -name data"))).toBe("refused");
  expect(await refusalOf(shell.run("fs.rm -r /buckets/data"))).toBe("refused");
  expect(await contentOf("data")).toEqual(after);
  await shell.run("s3.bucket.delete -name data -force");
  expect(await shell.run("s3.bucket.list")).not.toContain("data");
  expect(await refusalOf(data.write("k", "x"))).toBe("NoSuchBucket");
  await collectAll();
  expect(await hashAt(s3Of("copy"), "b/4 & ü")).toBe(must(before.get("b/4 & ü")));

  // A bucket of the same name begins empty.
  await shell.run("s3.bucket.create -name data; s3.bucket.delete -name data");
  const full = await volumeBytes();
  await shell.run("s3.bucket.delete -name copy -force");
  await collectAll();
  await shell.run("volume.vacuum -garbageThreshold=0");
  const empty = await volumeBytes();
  expect(full.live).toBeGreaterThan(9_000_000);
  expect(empty.live).toBe(0);
  expect(empty.files).toBeLessThan(1000);
  expect(await findings()).toEqual([]);
});

test("what was begun goes on after a restart, and fsck finds nothing in between", async () => {
  await shell.run("s3.bucket.create -name data");
  const before = await fill("data");
  await shell.run("snapshot.create -bucket=data -name=s1; bucket.clone -from=data -to=copy");
  await shell.run("fs.rm -r /buckets/data/a");
  await shell.run("s3.bucket.delete -name data -force");
  expect(await findings()).toEqual([]);
  await start();
  expect(await contentOf("copy")).toEqual(before);
  await collectAll();
  expect(await contentOf("copy")).toEqual(before);
  expect(await findings()).toEqual([]);
});

test("a quota of objects and one of bytes hold beside each other over S3", async () => {
  await shell.run("s3.bucket.create -name data");
  const data = s3Of("data");
  await data.write("a", "1");
  await data.write("b", "2");
  await shell.run("s3.bucket.quota -name=data -op=set -objects=2");
  expect(await refusalOf(data.write("c", ""))).toBe("QuotaExceeded");
  // In parts: the refusal comes with the completion.
  const parts = data.file("c").writer({ partSize: 5 * 1024 * 1024, queueSize: 1, retry: 0 });
  await parts.write(new Uint8Array(6 * 1024 * 1024));
  expect(await refusalOf(Promise.resolve(parts.end()))).toBe("QuotaExceeded");
  await data.write("a", "replaced");
  await shell.run("s3.bucket.quota -name=data -op=set -sizeMB=1");
  expect(await refusalOf(data.write("a", "x".repeat(1_100_000)))).toBe("QuotaExceeded");
  expect(await refusalOf(data.write("c", ""))).toBe("QuotaExceeded");
  expect(await shell.run("s3.bucket.quota -name=data")).toMatch(
    /^bucket data quota:1048576 size:\d+ quota_objects:2 objects:2\n$/,
  );
  // A copy has the bounds of its source.
  await shell.run("bucket.clone -from=data -to=copy");
  expect(await refusalOf(s3Of("copy").write("c", ""))).toBe("QuotaExceeded");
  await data.delete("b");
  await data.write("c", "");
  await shell.run("s3.bucket.quota -name=data -op=remove");
  await data.write("d", "x".repeat(1_100_000));
  expect(await s3Of("data").file("a").text()).toBe("replaced");
});

/** Asks the console as an identity with these actions. */
async function visitor(name: string, actions: readonly string[]) {
  const { iam } = server.store;
  await iam.putIdentity({ name, actions });
  const pair = must(await iam.createKey(name));
  const call = (method: string, path: string, body?: unknown, cookie?: string): Promise<Response> =>
    fetch(`${server.consoleUrl}/api/v1${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        ...(cookie !== undefined && { cookie }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const keys = { access_key: pair.id, secret_key: pair.secret };
  const session = await call("POST", "/session", keys);
  const cookie = must(session.headers.get("set-cookie")?.split(";")[0]);
  return async (method: string, path: string, body?: unknown): Promise<number> => {
    const answer = await call(method, `/buckets${path}`, body, cookie);
    await answer.body?.cancel();
    return answer.status;
  };
}

test("who may read and write a bucket may not freeze, copy or drop it; who administers it may", async () => {
  await shell.run("s3.bucket.create -name data; snapshot.create -bucket=data -name=s1");
  await s3Of("data").write("f/k", "x");
  const changes = [
    ["POST", "/data/snapshots", { name: "s2" }],
    ["POST", "/data/clone", { name: "mine" }],
    ["POST", "/data/clone", { name: "mine", snapshot: "s1" }],
    ["DELETE", "/data/snapshots/s1", undefined],
    ["DELETE", "/data?force=true", undefined],
    ["PUT", "/data/quota", { quota_objects: 9 }],
  ] as const;
  for (const [name, actions] of [
    ["nobody", []],
    ["writer", ["Read:data", "Write:data", "List:data"]],
    ["neighbour", ["Admin:mine", "Admin:data2"]],
    ["part", ["Read:data/f/*", "List:data", "Admin:mine", "DeleteBucket:data"]],
  ] as const) {
    const ask = await visitor(name, actions);
    for (const [method, path, body] of changes.filter(
      ([, route]) => name !== "part" || !route.endsWith("/s1"),
    )) {
      expect([name, path, await ask(method, path, body)]).toEqual([name, path, 403]);
    }
  }
  expect((await server.store.objects.listBuckets()).map((bucket) => bucket.name)).toEqual([
    "data",
    "mlpipeline",
  ]);
  expect(await s3Of("data").file("f/k").text()).toBe("x");
  expect(await shell.run("snapshot.list -bucket=data")).toStartWith("  s1\t");

  // A Deny of any part keeps the whole from being copied or dropped.
  const { iam } = server.store;
  const guarded = await visitor("guarded", ["Admin:data", "Admin:mine"]);
  const resources = ["arn:aws:s3:::data/secret/*"];
  const deny = { effect: "Deny", actions: ["s3:GetObject", "s3:DeleteObject"], resources } as const;
  await iam.putIdentity({
    name: "guarded",
    actions: ["Admin:data", "Admin:mine"],
    statements: [deny],
  });
  expect(await guarded("POST", "/data/clone", { name: "mine" })).toBe(403);
  expect(await guarded("DELETE", "/data?force=true")).toBe(403);
  expect(await guarded("DELETE", "/data/objects?prefix=s")).toBe(403);
  expect(await guarded("DELETE", "/data/objects?prefix=other/")).toBe(204);

  const admin = await visitor("admin", ["Admin:data", "Admin:mine"]);
  expect(await admin("POST", "/data/snapshots", { name: "s2" })).toBe(201);
  expect(await admin("POST", "/data/clone", { name: "mine", snapshot: "s2" })).toBe(201);
  expect(await admin("POST", "/data/clone", { name: "other" })).toBe(403);
  expect(await server.store.objects.getBucket("mine")).toMatchObject({ owner: "admin" });
  expect(await admin("DELETE", "/data/snapshots/s1")).toBe(204);
  expect(await admin("DELETE", "/data?force=true")).toBe(204);
  expect(await s3Of("mine").file("f/k").text()).toBe("x");
});
