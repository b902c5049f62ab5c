import { expect, test } from "bun:test";
import { S3Client } from "bun";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { must } from "@kelp/base";
import { temporaryFolder } from "@kelp/base/testing";
import {
  FREE_PORTS,
  type RunningServer,
  runCli,
  startTestServer,
} from "./testing/running-server.ts";

function s3Of(server: RunningServer, bucket: string): S3Client {
  return new S3Client({
    endpoint: server.s3Url,
    bucket,
    accessKeyId: server.credentials.access_key,
    secretAccessKey: server.credentials.secret_key,
  });
}

function askConsole(
  server: RunningServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${server.consoleUrl}${path}`, { headers });
}

test("every door answers once the ready file is there", async () => {
  using folder = temporaryFolder();
  await using server = await startTestServer(folder.path);
  const token = { authorization: `Bearer ${server.credentials.console_token}` };
  expect((await fetch(server.s3Url)).status).toBe(403);
  expect((await askConsole(server, "/api/v1/overview", token)).status).toBe(200);
  expect((await askConsole(server, "/apis/v2beta1/healthz", token)).status).toBe(200);
});

test("the bucket of the pipelines is there from the start", async () => {
  using folder = temporaryFolder();
  await using server = await startTestServer(folder.path);
  const bucket = s3Of(server, "mlpipeline");
  await bucket.write("a/b.txt", "hello");
  expect(await bucket.file("a/b.txt").text()).toBe("hello");
});

test("volumes are scrubbed, vacuumed and measured through the console's door, by whoever may", async () => {
  using folder = temporaryFolder();
  await using server = await startTestServer(folder.path, ["--auth.local-user", "off"]);
  const bucket = s3Of(server, "mlpipeline");
  const big = new Uint8Array(3_000_000).fill(7);
  await bucket.write("big", big);
  const token = { authorization: `Bearer ${server.credentials.console_token}` };
  const post = (path: string, headers: Record<string, string>): Promise<Response> =>
    fetch(`${server.consoleUrl}/api/v1/volumes/${path}`, { method: "POST", headers });
  for (const path of ["1/vacuum", "1/scrub"]) expect((await post(path, {})).status).toBe(401);
  expect((await askConsole(server, "/metrics")).status).toBe(401);

  expect(await (await post("1/scrub", token)).json()).toMatchObject({
    checked_count: 2,
    damaged: [],
  });
  expect(await (await post("1/vacuum", token)).json()).toMatchObject({ live_count: 2 });
  expect((await post("999/vacuum", token)).status).toBe(404);
  expect(Buffer.from(await bucket.file("big").arrayBuffer()).equals(big)).toBe(true);
  const metrics = await (await askConsole(server, "/metrics", token)).text();
  expect(metrics).toContain("\nkelp_vacuums_total 1\n");
  expect(metrics).toContain("\nkelp_scrubs_total 1\n");
  expect(metrics).toContain("\nkelp_quarantined 0\n");
});

test("what was acknowledged is there after kill -9", async () => {
  using folder = temporaryFolder();
  const big = new Uint8Array(3_000_000).fill(7);
  {
    await using server = await startTestServer(folder.path);
    const bucket = s3Of(server, "mlpipeline");
    await bucket.write("small", "x");
    await bucket.write("big", big);
    await server.end("SIGKILL");
  }
  await using server = await startTestServer(folder.path);
  const bucket = s3Of(server, "mlpipeline");
  expect(await bucket.file("small").text()).toBe("x");
  expect(Buffer.from(await bucket.file("big").arrayBuffer()).equals(big)).toBe(true);
});

test("SIGTERM ends it with status 0 and takes its state file away", async () => {
  using folder = temporaryFolder();
  await using server = await startTestServer(folder.path);
  expect(existsSync(join(folder.path, "data/server.json"))).toBe(true);
  const result = await server.end("SIGTERM");
  expect(result.status).toBe(0);
  expect(existsSync(join(folder.path, "data/server.json"))).toBe(false);
});

test("a request in flight is finished before the end", async () => {
  using folder = temporaryFolder();
  await using server = await startTestServer(folder.path);
  const url = s3Of(server, "mlpipeline").presign("slow", { method: "PUT", expiresIn: 60 });
  const upload = request(url, {
    method: "PUT",
    headers: { "content-length": "2", expect: "100-continue" },
  });
  const answered = new Promise<number>((resolve, reject) => {
    upload.once("response", (response) => resolve(response.statusCode ?? 0));
    upload.once("error", reject);
  });
  // "100 Continue" says that the server has taken the request up.
  await new Promise<void>((resolve) => upload.once("continue", resolve));
  upload.write("a");
  const ended = server.end("SIGTERM");
  await untilRefused(server.s3Port);
  upload.end("b");
  expect(await answered).toBe(200);
  expect((await ended).status).toBe(0);

  await using again = await startTestServer(folder.path);
  expect(await s3Of(again, "mlpipeline").file("slow").text()).toBe("ab");
});

test("a second server on the folder is refused in one line that names the first", async () => {
  using folder = temporaryFolder();
  await using server = await startTestServer(folder.path);
  const dir = join(folder.path, "data");
  const second = await runCli(["server", "--dir", dir, ...FREE_PORTS]);
  expect(second).toEqual({
    status: 1,
    stdout: "",
    stderr: `kelp: Cannot use ${dir}: another server (process ${server.child.pid}) is using it; stop that one or name another folder with --dir\n`,
  });
});

test("a lock does not outlive its owner, however that ended", async () => {
  using folder = temporaryFolder();
  await using first = await startTestServer(folder.path);
  await first.end("SIGKILL");
  await using second = await startTestServer(folder.path);
  expect(second.child.exitCode).toBeNull();
});

test("a taken port is told with flag and holder", async () => {
  using folder = temporaryFolder();
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const address = holder.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  for (const flag of ["--s3.port", "--console.port"]) {
    const result = await runCli([
      "server",
      "--dir",
      join(folder.path, "data"),
      ...FREE_PORTS,
      flag,
      String(port),
    ]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(
      `127.0.0.1:${port}: the port is taken by process ${process.pid} `,
    );
    expect(result.stderr).toEndWith(`choose another with ${flag}\n`);
  }
  holder.close();
});

test("a folder of a newer format is refused and left as it is", async () => {
  using folder = temporaryFolder();
  const dir = join(folder.path, "data");
  mkdirSync(dir);
  writeFileSync(join(dir, "format.json"), '{ "format": 2 }');
  const result = await runCli(["server", "--dir", dir, ...FREE_PORTS]);
  expect(result.status).toBe(1);
  expect(result.stderr).toContain("the folder has format 2 and this Kelp knows up to 1");
  expect(readFileSync(join(dir, "format.json"), "utf8")).toBe('{ "format": 2 }');
  expect(existsSync(join(dir, "credentials.json"))).toBe(false);
});

test("secrets are for their owner only, and never in what is printed", async () => {
  using folder = temporaryFolder();
  await using server = await startTestServer(folder.path, ["--log.level", "debug"]);
  await s3Of(server, "mlpipeline").write("a", "b");
  const dir = join(folder.path, "data");
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  for (const name of ["credentials.json", "iam.db", "filer.db", "pipelines.db"]) {
    expect([name, statSync(join(dir, name)).mode & 0o077]).toEqual([name, 0]);
  }
  const { stdout, stderr } = await server.end("SIGTERM");
  for (const secret of [server.credentials.secret_key, server.credentials.console_token]) {
    expect(stdout + stderr).not.toContain(secret);
  }
});

test("a key pair given in the environment counts, half of one is refused", async () => {
  using folder = temporaryFolder();
  const pair = { KELP_ROOT_ACCESS_KEY: "operator", KELP_ROOT_SECRET_KEY: "long-enough-secret" };
  await using server = await startTestServer(folder.path, [], pair);
  expect(server.credentials.access_key).toBe("operator");
  await s3Of(server, "mlpipeline").write("a", "b");
  const half = await runCli(["server", "--dir", join(folder.path, "other"), ...FREE_PORTS], {
    env: { KELP_ROOT_ACCESS_KEY: "operator" },
  });
  expect(half.status).toBe(1);
  expect(half.stderr).toContain("set both KELP_ROOT_ACCESS_KEY and KELP_ROOT_SECRET_KEY");
  const short = await runCli(["server", "--dir", join(folder.path, "other"), ...FREE_PORTS], {
    env: { KELP_ROOT_ACCESS_KEY: "operator", KELP_ROOT_SECRET_KEY: "short" },
  });
  expect(short.status).toBe(1);
  expect(short.stderr).toStartWith("kelp: Cannot use KELP_ROOT_SECRET_KEY: it must be 8 to 256");
});

test("the local user is let in, unless that is turned off; a wrong token never is", async () => {
  using folder = temporaryFolder();
  using other = temporaryFolder();
  await using open = await startTestServer(folder.path);
  await using closed = await startTestServer(other.path, ["--auth.local-user", "off"]);
  const wrong = { authorization: "Bearer wrong" };
  expect((await askConsole(open, "/api/v1/overview")).status).toBe(200);
  expect((await askConsole(open, "/api/v1/overview", wrong)).status).toBe(401);
  expect(
    (await askConsole(open, "/apis/v2beta1/healthz", { origin: "http://evil.example" })).status,
  ).toBe(403);
  expect((await askConsole(closed, "/api/v1/overview")).status).toBe(401);
  expect((await askConsole(closed, "/apis/v2beta1/runs")).status).toBe(401);
});

test("env tells clients where the server is, and that there is none", async () => {
  using folder = temporaryFolder();
  const dir = join(folder.path, "data");
  expect((await runCli(["env", "--dir", dir])).stderr).toContain("There is no data folder");
  await using server = await startTestServer(folder.path);
  const told = await runCli(["env"], { env: { KELP_DIR: dir } });
  expect(told.stdout.split("\n")).toContain(`export AWS_ENDPOINT_URL_S3=${server.s3Url}`);
  expect(told.stdout.split("\n")).toContain(`export KF_PIPELINES_ENDPOINT=${server.consoleUrl}`);
  await server.end("SIGKILL");
  const gone = await runCli(["env", "--dir", dir]);
  expect(gone.status).toBe(1);
  expect(gone.stderr).toContain("No server is running");
});

test("shell reaches the server by data folder and by address", async () => {
  using folder = temporaryFolder();
  await using server = await startTestServer(folder.path, ["--auth.local-user", "off"]);
  const byFolder = await runCli([
    "shell",
    "--dir",
    join(folder.path, "data"),
    "-c",
    "s3.bucket.list",
  ]);
  expect(byFolder.stdout).toContain("mlpipeline");
  const byAddress = await runCli(["shell", "--server", server.consoleUrl, "-c", "s3.bucket.list"], {
    env: { KELP_TOKEN: server.credentials.console_token },
  });
  expect(byAddress.stdout).toBe(byFolder.stdout);
  const refused = await runCli(["shell", "--server", server.consoleUrl, "-c", "s3.bucket.list"]);
  expect(refused.status).toBe(1);
});

test("fsck refuses a folder in use, and finds what is damaged", async () => {
  using folder = temporaryFolder();
  const dir = join(folder.path, "data");
  {
    await using server = await startTestServer(folder.path);
    await s3Of(server, "mlpipeline").write("big", new Uint8Array(3_000_000).fill(7));
    expect((await runCli(["fsck", "--dir", dir])).stderr).toContain("is using it");
    await server.end("SIGTERM");
  }
  const sound = await runCli(["fsck", "--dir", dir, "--json"]);
  expect(sound.status).toBe(0);
  expect(JSON.parse(sound.stdout)).toMatchObject({ damageCount: 0, findings: [] });

  const fileOf = (end: string): string =>
    join(
      dir,
      "volumes",
      must(readdirSync(join(dir, "volumes")).find((name) => name.endsWith(end))),
    );
  const index = fileOf("_1.idx");
  const indexBytes = readFileSync(index);
  writeFileSync(index, indexBytes.subarray(0, -16));
  const rebuilt = await runCli(["fsck", "--dir", dir, "--rebuild-index"]);
  expect(rebuilt.status).toBe(0);
  expect(rebuilt.stdout).toMatch(/harmless +the index of volume 1 was made anew: 1 blobs differed/);
  expect(rebuilt.stdout).toContain("volumes were made anew");
  expect(readFileSync(index)).toEqual(indexBytes);

  const volume = fileOf("_1.dat");
  const bytes = readFileSync(volume);
  bytes[1_000_000] = 8;
  writeFileSync(volume, bytes);
  const damaged = await runCli(["fsck", "--dir", dir, "--json"]);
  expect(damaged.status).toBe(1);
  expect(JSON.parse(damaged.stdout).damageCount).toBeGreaterThan(0);
});

test("a ready file that cannot be written is one line with the flag, and status 1", async () => {
  using folder = temporaryFolder();
  const result = await runCli([
    "server",
    "--dir",
    join(folder.path, "data"),
    ...FREE_PORTS,
    "--ready-file",
    join(folder.path, "absent/ready.json"),
  ]);
  expect(result.status).toBe(1);
  expect(result.stderr.trim().split("\n")).toHaveLength(1);
  expect(result.stderr).toContain("--ready-file");
});

test("a wrong option is told with status 2", async () => {
  expect((await runCli(["server", "--s3.prot", "1"])).status).toBe(2);
  expect((await runCli(["server", "--s3.port", "x"])).status).toBe(2);
  expect((await runCli(["nothing"])).status).toBe(2);
  expect((await runCli(["server", "--help"])).status).toBe(0);
});

/** Resolves when nobody listens on the port any more. */
async function untilRefused(port: number): Promise<void> {
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port });
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (!isOpen) return;
  }
}
