import { expect, test } from "bun:test";
import { S3Client } from "bun";
import { Database } from "bun:sqlite";
import { chmodSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type TemporaryFolder, temporaryFolder } from "@kelp/base/testing";
import {
  FREE_PORTS,
  type RunningServer,
  runCli,
  runHere,
  startTestServer,
} from "./testing/running-server.ts";

const MARK = "the colour of the sea";

function s3Of(server: RunningServer): S3Client {
  return new S3Client({
    endpoint: server.s3Url,
    bucket: "mlpipeline",
    accessKeyId: server.credentials.access_key,
    secretAccessKey: server.credentials.secret_key,
  });
}

async function makeKey(folder: TemporaryFolder, name: string): Promise<string> {
  const file = join(folder.path, name);
  const made = await runHere(["keys", "new", file]);
  expect(made).toMatchObject({ status: 0, stderr: "" });
  return `file:${file}`;
}

function keyIdOf(text: string): string {
  return /[0-9a-f]{16}/.exec(text)?.[0] ?? "none";
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function textOfFolder(folder: string): string {
  return filesBelow(folder)
    .map((file) => readFileSync(file, "latin1"))
    .join("\n");
}

test("a sealed folder holds no content in clear, and serves it after a restart", async () => {
  using folder = temporaryFolder();
  const key = await makeKey(folder, "key");
  const data = join(folder.path, "data");
  const large = MARK.repeat(200_000);
  {
    await using server = await startTestServer(folder.path, ["--encrypt.at-rest", key]);
    await s3Of(server).write("small", MARK);
    await s3Of(server).write("large", large);
    expect(await s3Of(server).file("large").text()).toBe(large);
    const stopped = await server.end("SIGTERM");
    expect(stopped.status).toBe(0);
    expect(stopped.stderr).not.toContain("no secret");
    const secret = readFileSync(key.slice("file:".length), "utf8").trim();
    expect(stopped.stdout + stopped.stderr).not.toContain(secret);
  }
  expect(textOfFolder(data)).not.toContain("colour");
  expect(textOfFolder(data)).toContain("small");
  chmodSync(key.slice("file:".length), 0o644);
  await using again = await startTestServer(folder.path, ["--encrypt.at-rest", key]);
  expect(await s3Of(again).file("small").text()).toBe(MARK);
  expect(await s3Of(again).file("large").text()).toBe(large);
  expect((await again.end("SIGTERM")).stderr).toContain("the master key is no secret: any user");
}, 30_000);

test("without its key, or with another, the server does not start, says which, and changes nothing", async () => {
  using folder = temporaryFolder();
  const [right, wrong] = [await makeKey(folder, "right"), await makeKey(folder, "wrong")];
  const data = join(folder.path, "data");
  {
    await using server = await startTestServer(folder.path, ["--encrypt.at-rest", right]);
    await s3Of(server).write("a", MARK);
    await server.end("SIGTERM");
  }
  const rightId = keyIdOf((await runHere(["keys", "show", "--dir", data])).stdout);
  const lasting = (): string[] =>
    filesBelow(data)
      .filter((file) => !/lock\.db|-shm$|-wal$|-journal$/.test(file))
      .map((file) => `${file} ${Bun.hash(readFileSync(file))}`);
  const before = lasting();
  const start = (flags: readonly string[], env = {}): ReturnType<typeof runCli> =>
    runCli(["server", "--dir", data, ...FREE_PORTS, ...flags], { env });
  const root = { KELP_ROOT_ACCESS_KEY: "otherroot", KELP_ROOT_SECRET_KEY: "othersecret" };
  const absent = await start([], root);
  expect(absent.stderr).toBe(
    `kelp: Cannot open ${data}: the store is sealed under the master key ${rightId}, and no master key is given; name it with --encrypt.at-rest\n`,
  );
  const other = await start(["--encrypt.at-rest", wrong], root);
  expect(other.stderr).toContain(`sealed under the master key ${rightId}, and the one given is `);
  expect(other.stderr).not.toContain(`given is ${rightId}`);
  for (const bad of ["kms:a"]) {
    const result = await start(["--encrypt.at-rest", bad]);
    expect({ bad, status: result.status, lines: result.stderr.trim().split("\n").length }).toEqual({
      bad,
      status: 1,
      lines: 1,
    });
  }
  expect([absent.status, other.status]).toEqual([1, 1]);
  expect(lasting()).toEqual(before);
}, 30_000);

test("rotation by command and by option: the new key opens everything, the old one nothing, data stays as it was", async () => {
  using folder = temporaryFolder();
  const [first, second, third] = [
    await makeKey(folder, "first"),
    await makeKey(folder, "second"),
    await makeKey(folder, "third"),
  ];
  const data = join(folder.path, "data");
  const large = MARK.repeat(50_000);
  {
    await using server = await startTestServer(folder.path, ["--encrypt.at-rest", first]);
    await s3Of(server).write("large", large);
    const busy = await runHere([
      "keys",
      "rotate",
      "--dir",
      data,
      "--current",
      first,
      "--new",
      second,
    ]);
    expect(busy.stderr).toContain("is using it");
    await server.end("SIGTERM");
  }
  const volumes = textOfFolder(join(data, "volumes"));
  const refused = await runHere([
    "keys",
    "rotate",
    "--dir",
    data,
    "--current",
    third,
    "--new",
    second,
  ]);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain("sealed under the master key");
  const rotated = await runHere([
    "keys",
    "rotate",
    "--dir",
    data,
    "--current",
    first,
    "--new",
    second,
  ]);
  expect(rotated).toMatchObject({ status: 0, stderr: "" });
  expect(textOfFolder(join(data, "volumes"))).toBe(volumes);
  const old = await runCli(["server", "--dir", data, ...FREE_PORTS, "--encrypt.at-rest", first]);
  expect(old.stderr).toContain("and the one given is");
  {
    const flags = ["--encrypt.at-rest", third, "--encrypt.previous", second];
    await using server = await startTestServer(folder.path, flags);
    expect(await s3Of(server).file("large").text()).toBe(large);
  }
  await using server = await startTestServer(folder.path, ["--encrypt.at-rest", third]);
  expect(await s3Of(server).file("large").text()).toBe(large);
}, 30_000);

test("sealing can be turned on for a folder that has content, and keys come from the environment too", async () => {
  using folder = temporaryFolder();
  const data = join(folder.path, "data");
  const env = {
    MASTER: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64"),
  };
  {
    await using server = await startTestServer(folder.path);
    await s3Of(server).write("old", MARK);
  }
  const unsealed = await runHere(["keys", "show", "--dir", data]);
  expect(unsealed.stdout).toBe(`${data} is not sealed\n`);
  {
    await using server = await startTestServer(
      folder.path,
      ["--encrypt.at-rest", "env:MASTER"],
      env,
    );
    expect(await s3Of(server).file("old").text()).toBe(MARK);
    await s3Of(server).write("new", MARK);
    await server.end("SIGTERM");
  }
  using database = new Database(join(data, "filer.db"), { readonly: true });
  const contents = database.prepare("SELECT bytes FROM contents ORDER BY id").all() as {
    readonly bytes: Uint8Array;
  }[];
  expect(contents.map(({ bytes }) => Buffer.from(bytes).includes(MARK))).toEqual([true, false]);
  expect((await runHere(["fsck", "--dir", data])).status).toBe(0);
}, 30_000);

test("a folder that cannot be made is no reason to read a key, and a key that cannot be read makes no folder", async () => {
  using folder = temporaryFolder();
  const data = join(folder.path, "data");
  const result = await runCli([
    "server",
    "--dir",
    data,
    ...FREE_PORTS,
    "--encrypt.at-rest",
    "file:/nowhere/key",
  ]);
  expect(result.status).toBe(1);
  expect(() => readdirSync(data)).toThrow("ENOENT");
  mkdirSync(data);
  expect((await runHere(["keys", "show", "--dir", data])).stderr).toContain(
    "There is no data folder",
  );
});
